/** The network between a browser and the relay ends or stalls in the middle of something. */
import { deepEqual, equal } from "node:assert/strict";
import { freshVisitor, PATIENCE } from "../harness/mod.ts";
import { message, textsOf, write } from "./conversation_steps.ts";
import {
  allAre,
  CONNECTION_NOTES,
  hurry,
  inTime,
  withFriends,
} from "./support_two.ts";
import type { Traveller } from "./support_two.ts";
import type { Direction, Wire } from "./support_wire.ts";

/** Where in the first frame with such a command the wire is cut. */
interface Accident {
  readonly direction: Direction;
  readonly command: "SEND" | "MSG" | "OK" | "ACK" | "BIND" | "HELLO";
  /** Bytes of the frame that still get through, of its length. */
  readonly through: (length: number) => number;
}

const nothing = () => 0;
const half = (length: number) => length >> 1;
const allButOne = (length: number) => length - 1;
const all = (length: number) => length;

/** On the wire of who writes. */
const SENDING: readonly Accident[] = [
  { direction: "up", command: "SEND", through: nothing },
  { direction: "up", command: "SEND", through: half },
  { direction: "up", command: "SEND", through: allButOne },
  // The relay has it, and nobody hears of it.
  { direction: "up", command: "SEND", through: all },
  { direction: "down", command: "OK", through: half },
];

/** On the wire of who receives. */
const RECEIVING: readonly Accident[] = [
  { direction: "down", command: "MSG", through: half },
  { direction: "down", command: "MSG", through: allButOne },
  // It is on disk here, and the relay never hears of it.
  { direction: "up", command: "ACK", through: nothing },
  { direction: "down", command: "MSG", through: all },
];

/** While coming back. */
const RETURNING: readonly Accident[] = [
  { direction: "down", command: "HELLO", through: half },
  { direction: "up", command: "BIND", through: half },
  { direction: "up", command: "BIND", through: all },
];

/** Lets `accident` happen once; resolves when it has. */
function once(wire: Wire, accident: Accident): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  wire.rule = ({ direction, commands, length }) => {
    const here = direction === accident.direction &&
      commands.some(({ type }) => type === accident.command);
    if (!here) return undefined;
    wire.rule = undefined;
    resolve();
    return accident.through(length);
  };
  return inTime(`a ${accident.command} goes ${accident.direction}`, promise);
}

async function until(
  what: string,
  condition: () => Promise<boolean>,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`Not in time: ${what}`);
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("cut at any byte of what is sent, received, answered or acknowledged: nothing is lost or doubled", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    const texts: string[] = [];
    const say = async (text: string) => {
      texts.push(text);
      await write(ada, text);
    };
    const hurryBoth = async () => {
      for (const person of [ada, bjorn]) await hurry(person);
    };
    const arrives = (person: Traveller, text: string) =>
      until(
        text,
        async () =>
          await message(person, new RegExp(`^(Ada .*|You): ${text}, `))
            .count() > 0,
        hurryBoth,
      );

    for (const [i, accident] of SENDING.entries()) {
      const happened = once(ada.wire, accident);
      // Looked for from here on: she can be back before the next line.
      const told = i === 0
        ? ada.page.getByText("The server can't be reached.").waitFor()
        : undefined;
      await say(`cut off ${i}.`);
      await say(`behind it ${i}.`);
      await happened;
      if (told) {
        // The first time she comes back by herself, and says meanwhile how it stands.
        await told;
        await message(bjorn, /behind it 0\., /).waitFor();
      }
      await arrives(bjorn, `behind it ${i}\\.`);
    }
    for (const [i, accident] of RECEIVING.entries()) {
      const happened = once(bjorn.wire, accident);
      await say(`not taken ${i}.`);
      await happened;
      await say(`after it ${i}.`);
      await arrives(bjorn, `after it ${i}\\.`);
    }
    for (const [i, accident] of RETURNING.entries()) {
      let cut = false;
      const happened = once(ada.wire, accident).then(() => {
        cut = true;
      });
      ada.wire.cut();
      await say(`on the way back ${i}.`);
      await until(
        `accident ${i} on the way back`,
        () => Promise.resolve(cut),
        hurryBoth,
      );
      await happened;
      await arrives(bjorn, `on the way back ${i}\\.`);
    }
    await until(
      "all are read",
      async () =>
        await message(ada, /^You: .*, read$/).count() === texts.length,
      hurryBoth,
    );
    for (const person of [ada, bjorn]) {
      deepEqual(await textsOf(person), texts);
      await person.page.reload();
      await message(person, new RegExp(texts[texts.length - 1])).waitFor();
      deepEqual(await textsOf(person), texts);
    }
  }, CONNECTION_NOTES));

Deno.test("a network that stalls without a word is told when the browser knows, and what was written meanwhile arrives once", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    await write(ada, "before");
    await allAre(ada, ["before"], "read");

    // Nothing gets through, and no connection ends: as in a tunnel.
    const tunnel = Promise.withResolvers<undefined>();
    ada.wire.rule = () => tunnel.promise;
    await write(ada, "in the tunnel");
    await message(ada, /^You: in the tunnel, .*, sending$/).waitFor();
    await write(bjorn, "are you there?");
    await message(bjorn, /^You: are you there\?, .*, sent$/).waitFor();
    equal(await message(ada, /are you there/).count(), 0);
    await ada.context.setOffline(true);
    await ada.page.getByText("You are offline.").waitFor();
    await write(ada, "still in it");

    // What was under way is dropped with the old connection; a new one gets through.
    ada.wire.rule = undefined;
    ada.wire.cut();
    tunnel.resolve(undefined);
    await ada.context.setOffline(false);
    await message(bjorn, /^Ada .*: still in it, /).waitFor();
    await ada.page.getByText("You are offline.").waitFor({ state: "detached" });
    await allAre(ada, ["in the tunnel", "still in it"], "read");
    await allAre(bjorn, ["are you there\\?"], "read");
    const inOrder = (texts: string[]) =>
      texts.filter((text) => text !== "are you there?");
    for (const person of [ada, bjorn]) {
      const texts = await textsOf(person);
      equal(texts.length, 4);
      deepEqual(inOrder(texts), ["before", "in the tunnel", "still in it"]);
    }
  }, CONNECTION_NOTES));
