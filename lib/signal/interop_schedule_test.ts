import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import { type CiphertextMessage, WHISPER } from "./mod.ts";
import { parsePreKeyMessage, parseSignalMessage } from "./messages.ts";
import { MAX_RECEIVING_CHAINS } from "./double_ratchet.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { owned } from "./testing/owned.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party } from "./testing/party.ts";
import { SeededRandom } from "./testing/seeded_random.ts";
import { hear, say, write } from "./testing/text.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** The epoch of the post-quantum ratchet as libsignal itself reads it out of a message: a varint after byte 0. */
function epochSeenByLibsignal(message: CiphertextMessage): number {
  const bytes = message.type === WHISPER
    ? message.bytes
    : parsePreKeyMessage(message.bytes).message;
  const field = L.SignalMessage.deserialize(owned(bytes)).pqRatchet();
  let epoch = 0;
  for (let i = 1, shift = 0;; i++, shift += 7) {
    epoch += (field[i] & 0x7f) * 2 ** shift;
    if (field[i] < 0x80) return epoch;
  }
}

async function pair(
  initiator: "ours" | "theirs",
): Promise<{ a: Party; b: Party }> {
  const [ours, theirs] = [await OurParty.create(), new LibsignalParty()];
  return initiator === "ours" ? { a: ours, b: theirs } : { a: theirs, b: ours };
}

for (const initiator of ["ours", "theirs"] as const) {
  Deno.test(`post-quantum healing (${initiator} began): libsignal sees the epoch grow both ways`, async () => {
    const { a, b } = await pair(initiator);
    await introduce(a, b);
    const epochs = new Map<Party, number[]>([[a, []], [b, []]]);
    for (let round = 0; round < 400; round++) {
      for (const [from, to] of [[a, b], [b, a]]) {
        const message = await write(from, to.address, `${round}`);
        assert.equal(await hear(to, from.address, message), `${round}`);
        epochs.get(from)!.push(epochSeenByLibsignal(message));
      }
    }
    for (const seen of epochs.values()) {
      assert.equal(seen[0], 1);
      assert(seen.at(-1)! >= 9, `epoch ${seen.at(-1)} after 400 rounds`);
      assert(
        seen.every((epoch, i) => i === 0 || epoch >= seen[i - 1]),
        "it never falls",
      );
    }
  });
}

/** Messages under way from one party to the other, and what the receiver can be expected to make of them. */
class Line {
  readonly underWay: {
    message: CiphertextMessage;
    text: string;
    ratchetKey: string;
  }[] = [];
  readonly delivered: CiphertextMessage[] = [];
  /** Ratchet keys of the sender in the order the receiver met them. */
  readonly #chains: string[] = [];
  #sent = 0;

  /** @param order how often the oldest message comes first, 0 to 1 */
  constructor(
    readonly from: Party,
    readonly to: Party,
    readonly random: SeededRandom,
    readonly order: number,
  ) {}

  async send(): Promise<void> {
    const text = `${this.#sent++} ${"x".repeat(this.random.below(300))}`;
    const message = await write(this.from, this.to.address, text);
    const inner = message.type === WHISPER
      ? message.bytes
      : parsePreKeyMessage(message.bytes).message;
    const ratchetKey = parseSignalMessage(inner).ratchetKey.toHex();
    this.underWay.push({ message, text, ratchetKey });
  }

  /** The oldest message, or any. Each must arrive unless its chain is more than five chains back. */
  async deliver(): Promise<boolean> {
    const position = this.random.chance(this.order)
      ? 0
      : this.random.below(this.underWay.length);
    const [{ message, text, ratchetKey }] = this.underWay.splice(position, 1);
    const known = this.#chains.indexOf(ratchetKey);
    if (known >= 0 && this.#chains.length - known > MAX_RECEIVING_CHAINS) {
      await assert.rejects(this.to.receive(this.from.address, message));
      return false;
    }
    if (known < 0) this.#chains.push(ratchetKey);
    assert.equal(await hear(this.to, this.from.address, message), text);
    this.delivered.push(message);
    return true;
  }

  lose(): void {
    this.underWay.splice(this.random.below(this.underWay.length), 1);
  }

  async replay(): Promise<void> {
    const message = this.delivered[this.random.below(this.delivered.length)];
    await assert.rejects(this.to.receive(this.from.address, message));
  }

  /** One flipped bit of a message under way; the genuine one must still arrive later. */
  async tamper(): Promise<void> {
    const { message } = this.underWay[this.random.below(this.underWay.length)];
    const bytes = Uint8Array.from(message.bytes);
    // Once its session is held, only the message inside a PreKey message counts.
    const inner = message.type === WHISPER
      ? bytes
      : parsePreKeyMessage(bytes).message;
    inner[this.random.below(inner.length)] ^= 1 << this.random.below(8);
    await assert.rejects(
      this.to.receive(this.from.address, { type: message.type, bytes }),
    );
  }
}

async function runSchedule(
  seed: number,
  initiator: "ours" | "theirs",
  steps: number,
) {
  const random = new SeededRandom(seed);
  const { a, b } = await pair(initiator);
  await introduce(a, b, { oneTime: random.chance(0.5) });
  const order = random.next();
  const lines = [new Line(a, b, random, order), new Line(b, a, random, order)];
  const counts = { sent: 0, arrived: 0, lost: 0, refused: 0 };
  await lines[0].send();
  await lines[0].deliver();
  for (let step = 0; step < steps; step++) {
    const line = lines[random.below(2)];
    const dice = random.next();
    if (
      dice < 0.45 || (line.underWay.length === 0 && line.delivered.length === 0)
    ) {
      await line.send();
      counts.sent++;
    } else if (line.underWay.length === 0 || dice < 0.5) {
      if (line.delivered.length > 0) await line.replay();
    } else if (dice < 0.55) {
      await line.tamper();
      counts.refused++;
    } else if (dice < 0.6) {
      line.lose();
      counts.lost++;
    } else {
      if (await line.deliver()) counts.arrived++;
    }
  }
  // After all that, both still understand each other.
  await say(a, b, "still there?");
  await say(b, a, "yes");
  return counts;
}

for (const initiator of ["ours", "theirs"] as const) {
  Deno.test(`random schedules of loss, reordering, duplication, tampering and replay (${initiator} began)`, async () => {
    const schedules = SLOW ? 200 : 12;
    const total = { sent: 0, arrived: 0, lost: 0, refused: 0 };
    for (let seed = 1; seed <= schedules; seed++) {
      const seedOf = seed * 7919 + (initiator === "ours" ? 0 : 1);
      try {
        const counts = await runSchedule(seedOf, initiator, 700);
        for (const key of Object.keys(total) as (keyof typeof total)[]) {
          total[key] += counts[key];
        }
      } catch (error) {
        throw new Error(`schedule with seed ${seedOf} failed`, {
          cause: error,
        });
      }
    }
    assert(total.sent > schedules * 250, `${total.sent} sent`);
    assert(
      total.arrived > total.sent / 2,
      `${total.arrived} of ${total.sent} arrived`,
    );
    assert(total.lost > schedules * 10 && total.refused > schedules * 10);
  });
}
