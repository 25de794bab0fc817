import assert from "node:assert/strict";
import { PbfReader } from "pbf";
import { PREKEY, WHISPER } from "./mod.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party } from "./testing/party.ts";
import { SeededRandom } from "./testing/seeded_random.ts";
import { hear, say, write } from "./testing/text.ts";

const REGISTRATION_ID = 5;

/** Where a field of a versioned protobuf message lies, its tag included. */
function fieldRange(
  bytes: Uint8Array,
  wanted: number,
): { start: number; end: number } {
  const reader = new PbfReader(bytes.subarray(1));
  while (reader.pos < reader.length) {
    const start = reader.pos;
    const key = reader.readVarint();
    reader.skip(key);
    if (key >> 3 === wanted) return { start: start + 1, end: reader.pos + 1 };
  }
  throw new Error(`no field ${wanted}`);
}

const DIRECTIONS: [string, () => Promise<{ from: Party; to: Party }>][] = [
  [
    "libsignal's, to us",
    async () => ({ from: new LibsignalParty(), to: await OurParty.create() }),
  ],
  [
    "ours, to libsignal",
    async () => ({ from: await OurParty.create(), to: new LibsignalParty() }),
  ],
  [
    "ours, to us",
    async () => ({
      from: await OurParty.create(),
      to: await OurParty.create(),
    }),
  ],
];

for (const [name, make] of DIRECTIONS) {
  Deno.test(`a first message (${name}), altered in any byte, is refused and spoils nothing`, async () => {
    const { from, to } = await make();
    const random = new SeededRandom(1);
    await introduce(from, to);
    const { bytes } = await write(from, to.address, "genuine");
    // The one field nothing depends on: the recipient learns it from the sender's word alone.
    const free = fieldRange(bytes, REGISTRATION_ID);
    for (let at = 0; at < bytes.length; at++) {
      if (at >= free.start && at < free.end) continue;
      // The low half of a version byte says what the sender could speak; the outer one is not authenticated.
      const altered = Uint8Array.from(bytes);
      altered[at] ^= at === 0
        ? 1 << (4 + random.below(4))
        : 1 << random.below(8);
      await assert.rejects(
        to.receive(from.address, { type: PREKEY, bytes: altered }),
        Error,
        `byte ${at} of ${bytes.length}`,
      );
    }
    assert.equal(
      await hear(to, from.address, { type: PREKEY, bytes }),
      "genuine",
    );
    await say(to, from, "answer");
  });

  Deno.test(`a message (${name}), altered in any byte, cut anywhere or lengthened, is refused`, async () => {
    const { from, to } = await make();
    const random = new SeededRandom(2);
    await introduce(from, to);
    await say(from, to, "first");
    await say(to, from, "answer");
    for (let i = 0; i < 4; i++) {
      const { type, bytes } = await write(from, to.address, "genuine");
      assert.equal(type, WHISPER);
      const refused = (altered: Uint8Array, what: string) =>
        assert.rejects(
          to.receive(from.address, { type, bytes: altered }),
          Error,
          what,
        );
      for (let at = 0; at < bytes.length; at++) {
        const altered = Uint8Array.from(bytes);
        altered[at] ^= 1 << random.below(8);
        await refused(altered, `byte ${at} of ${bytes.length}`);
        await refused(bytes.subarray(0, at), `cut to ${at}`);
      }
      await refused(Uint8Array.of(...bytes, 0), "lengthened");
      assert.equal(await hear(to, from.address, { type, bytes }), "genuine");
      await refused(bytes, "replayed");
      await say(to, from, "on");
    }
  });

  Deno.test(`a first message (${name}), cut anywhere, is refused`, async () => {
    const { from, to } = await make();
    await introduce(from, to);
    const { bytes } = await write(from, to.address, "genuine");
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      await assert.rejects(
        to.receive(from.address, { type: PREKEY, bytes: cut }),
      );
    }
    await assert.rejects(to.receive(from.address, { type: WHISPER, bytes }));
    assert.equal(
      await hear(to, from.address, { type: PREKEY, bytes }),
      "genuine",
    );
  });
}
