import assert from "node:assert/strict";
import fc from "fast-check";
import * as L from "@signalapp/libsignal-client";
import { type CiphertextMessage, WHISPER } from "./mod.ts";
import { parsePreKeyMessage } from "./messages.ts";
import { happenings } from "./testing/happenings.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { owned } from "./testing/owned.ts";
import { introduce, type Party } from "./testing/party.ts";
import { holds } from "./testing/property.ts";
import { Schedule } from "./testing/schedule.ts";
import { hear, write } from "./testing/text.ts";

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

Deno.test("two of ours and libsignal: random schedules of loss, reordering, duplication, tampering and replay", async () => {
  const runs = 8;
  const total = { sent: 0, arrived: 0, lost: 0, refused: 0, renewed: 0 };
  await holds(
    fc.asyncProperty(happenings(4_000), async (events) => {
      const schedule = new Schedule([
        await OurParty.create(),
        new LibsignalParty(),
        await OurParty.create(),
      ]);
      for (const event of events) await schedule.happen(event);
      await schedule.end();
      for (const key of Object.keys(total) as (keyof typeof total)[]) {
        total[key] += schedule.counts[key];
      }
    }),
    runs,
  );
  const { sent, arrived, lost, refused, renewed } = total;
  assert(sent > 200 * runs && arrived > sent / 2, JSON.stringify(total));
  assert(lost > 10 * runs && refused > 20 * runs && renewed > 2 * runs);
});
