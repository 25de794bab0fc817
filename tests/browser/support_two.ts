/** Two people at a relay of their own, each behind a wire that the test holds. */
import { equal } from "node:assert/strict";
import {
  PATIENCE,
  type Person,
  type RelayProcess,
  startRelay,
  type Visitor,
  type VisitorOptions,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
} from "./conversation_steps.ts";
import { Wire } from "./support_wire.ts";

export type Traveller<P extends Visitor = Visitor> = P & {
  readonly name: string;
  readonly accessKey: string;
  readonly wire: Wire;
};

export interface Two<P extends Visitor = Visitor> {
  /** The relay's public URL. */
  readonly url: string;
  readonly ada: Traveller<P>;
  readonly bjorn: Traveller<P>;
  /** As it runs now. */
  readonly relay: RelayProcess;
  /** Ends the relay without warning; `revive` starts it again on the same port and data. */
  kill(): Promise<void>;
  revive(): Promise<void>;
}

/** How somebody comes: `freshVisitor`, or `freshPerson` for who closes the browser and opens it again. */
export type Arrival<P extends Visitor> = (
  options: VisitorOptions,
  name: string,
) => Promise<P>;

/** The browser notes each attempt to connect that found nobody, and each upgrade that was cut. */
export const CONNECTION_NOTES = /WebSocket connection to|net::ERR_/;

/**
 * Tells a story of Ada and Björn, who both have an account, and fails when a browser had something to
 * complain about that is not `expected`.
 */
export async function withTwo<P extends Visitor>(
  arrive: Arrival<P>,
  tell: (two: Two<P>) => Promise<void>,
  ...expected: RegExp[]
): Promise<void> {
  const wires = [new Wire(), new Wire()];
  const people: P[] = [];
  let relay = await startRelay();
  let dead = false;
  const revive = async () => {
    if (!dead) return;
    relay = await relay.restart();
    dead = false;
  };
  try {
    const { url } = relay;
    const [ada, bjorn] = await Promise.all(
      ["Ada Lovelace", "Björn Ångström"].map(async (name, i) => {
        const wire = wires[i];
        const person = await arrive(
          { url, proxy: { server: wire.server } },
          name,
        );
        people.push(person);
        const accessKey = await createAccount(person, name);
        // Not a copy: the page and context of some change when the browser is opened again.
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

/** For whoever reads of a failure: the page as assistive technology tells it. */
async function whatIsSeen({ page, problems }: Visitor): Promise<string> {
  const seen = page.isClosed()
    ? "(closed)"
    : await page.locator("body").ariaSnapshot();
  return [page.url(), seen, ...problems].join("\n");
}

/** As `withTwo`, with Ada and Björn in their conversation with each other. */
export function withFriends<P extends Visitor>(
  arrive: Arrival<P>,
  tell: (two: Two<P>) => Promise<void>,
  ...expected: RegExp[]
): Promise<void> {
  return withTwo(arrive, async (two) => {
    await connect(two.ada, two.bjorn);
    await tell(two);
  }, ...expected);
}

/** Opens the browser again, and in it the conversation with `contact`. */
export async function comeBack(person: Person, contact: string): Promise<void> {
  await person.reopen("/chat");
  await entry(person, contact).click();
  await person.page.getByRole("log", { name: "Messages" }).waitFor();
}

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
  person: Visitor,
  texts: readonly string[],
  state: "sent" | "delivered" | "read",
): Promise<void> {
  for (const text of texts.toReversed()) {
    await message(person, new RegExp(`^You: ${text}, .*, ${state}$`)).waitFor();
  }
}

/** Waits until all these own messages were taken by the relay at least: an answer can be here already. */
export async function allAreSent(
  person: Visitor,
  texts: readonly string[],
): Promise<void> {
  for (const text of texts.toReversed()) {
    const sent = new RegExp(`^You: ${text}, .*, (sent|delivered|read)$`);
    await message(person, sent).waitFor();
  }
}

/** Waits until a message with `text` is shown, however it came there. */
export async function shows(person: Visitor, text: string): Promise<void> {
  await message(person, new RegExp(`: ${text}, `)).waitFor();
}

/** The texts of all own messages that are at least sent. */
export async function saidToBeSent(person: Visitor): Promise<string[]> {
  const sent = message(person, /^You: .*, (sent|delivered|read)$/);
  return await sent.locator(".bubble-words").allInnerTexts();
}

/** Presses "Try now" for as long as there is something to wait for. */
export async function hurry(person: Visitor): Promise<void> {
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
