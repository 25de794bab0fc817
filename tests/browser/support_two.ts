/** Two people at a relay of their own, each behind a wire that the test holds. */
import { equal } from "node:assert/strict";
import {
  freshPerson,
  type Person,
  type RelayProcess,
  startRelay,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
} from "./conversation_steps.ts";
import { Wire } from "./support_wire.ts";

export type Traveller = Person & {
  readonly name: string;
  readonly accessKey: string;
  readonly wire: Wire;
};

export interface Two {
  /** The relay's public URL, which both go to, each over the own wire. */
  readonly url: string;
  readonly ada: Traveller;
  readonly bjorn: Traveller;
  /** As it runs now. */
  readonly relay: RelayProcess;
  /** Ends the relay without warning; `revive` starts it again on the same port and data. */
  kill(): Promise<void>;
  revive(): Promise<void>;
}

/** The browser notes each attempt to connect that found nobody, and each upgrade that was cut. */
export const CONNECTION_NOTES = /WebSocket connection to|net::ERR_/;

/** Tells a story of Ada and Björn, who both have an account, and fails when a browser had something to complain about. */
export async function withTwo(
  tell: (two: Two) => Promise<void>,
  { expected = [], flags = () => [] }: {
    readonly expected?: readonly RegExp[];
    /** More flags of the browser of who is called so. */
    readonly flags?: (name: string) => readonly string[];
  } = {},
): Promise<void> {
  const wires = [new Wire(), new Wire()];
  const people: Person[] = [];
  const url = `http://localhost:${wires[0].port}`;
  let relay = await startRelay({ args: ["--public-url", url] });
  let dead = false;
  const revive = async () => {
    if (!dead) return;
    relay = await relay.restart();
    dead = false;
  };
  try {
    for (const wire of wires) wire.target = relay.port;
    const [ada, bjorn] = await Promise.all(
      ["Ada Lovelace", "Björn Ångström"].map(async (name, i) => {
        const wire = wires[i];
        const person = await freshPerson({
          url,
          flags: [resolvedTo(wire, url), ...flags(name)],
        });
        people.push(person);
        const accessKey = await createAccount(person, name);
        // Not a copy: its page and context change when the browser is opened again.
        return Object.assign(person, { name, accessKey, wire });
      }),
    );
    await tell({
      url,
      ada,
      bjorn,
      get relay() {
        return relay;
      },
      kill: async () => {
        dead = true;
        await relay.kill9();
      },
      revive,
    });
    for (const person of people) person.expectNoProblems(...expected);
    for (const wire of wires) equal(wire.oddities.join("\n"), "");
  } catch (error) {
    for (const person of people) console.error(await whatIsSeen(person));
    throw error;
  } finally {
    for (const person of people) await person.close();
    for (const wire of wires) await wire.stop();
    await revive();
    await relay.stop();
  }
}

/** Leads a browser that goes to `url` over `wire`: a name that is the same for all, a path that is not. */
function resolvedTo({ port }: Wire, url: string): string {
  return `--host-resolver-rules=MAP ${new URL(url).host} 127.0.0.1:${port}`;
}

/** For whoever reads of a failure: the page as assistive technology tells it. */
async function whatIsSeen({ page, problems }: Person): Promise<string> {
  const seen = page.isClosed()
    ? "(closed)"
    : await page.locator("body").ariaSnapshot();
  return [page.url(), seen, ...problems].join("\n");
}

/** As `withTwo`, with Ada and Björn in their conversation with each other. */
export function withFriends(
  tell: (two: Two) => Promise<void>,
  options?: Parameters<typeof withTwo>[1],
): Promise<void> {
  return withTwo(async (two) => {
    await connect(two.ada, two.bjorn);
    await tell(two);
  }, options);
}

/** Opens the browser again, and in it the conversation with `contact`. */
export async function comeBack(person: Person, contact: string): Promise<void> {
  await person.reopen("/chat");
  await entry(person, contact).click();
  await person.page.getByRole("log", { name: "Messages" }).waitFor();
}

/** Longer than anything takes that a test waits for without a page to look at, ms. */
const PATIENCE = 30_000;

/** Fails when `promise` is not settled in time: what was to happen did not. */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Not in time: ${what}`)),
    PATIENCE,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until all these own messages are in `state`. */
export async function allAre(
  person: Person,
  texts: readonly string[],
  state: "sent" | "delivered" | "read",
): Promise<void> {
  for (const text of texts.toReversed()) {
    await message(person, new RegExp(`^You: ${text}, .*, ${state}$`)).waitFor();
  }
}

/** Waits until all these own messages were taken by the relay at least: an answer can be here already. */
export async function allAreSent(
  person: Person,
  texts: readonly string[],
): Promise<void> {
  for (const text of texts.toReversed()) {
    const sent = new RegExp(`^You: ${text}, .*, (sent|delivered|read)$`);
    await message(person, sent).waitFor();
  }
}

/** Waits until a message with `text` is shown, however it came there. */
export async function shows(person: Person, text: string): Promise<void> {
  await message(person, new RegExp(`: ${text}, `)).waitFor();
}

/** The texts of all own messages that are at least sent. */
export async function saidToBeSent(person: Person): Promise<string[]> {
  const sent = message(person, /^You: .*, (sent|delivered|read)$/);
  return await sent.locator(".bubble-words").allInnerTexts();
}

/** Presses "Try now" for as long as there is something to wait for. */
export async function hurry(person: Person): Promise<void> {
  const button = person.page.getByRole("button", { name: "Try now" });
  if (await button.isVisible()) {
    // Gone by itself in the meantime: just as well.
    await button.click({ timeout: 500 }).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === "TimeoutError")) {
        throw error;
      }
    });
  }
}
