import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Command,
  COMMAND_TYPES,
  decodeFrame,
  encodeFrame,
  ENVELOPE_SIZES,
  ERROR_CODES,
  type ErrorName,
  FRAME_SIZES,
  WireError,
} from "./mod.ts";
import { anyBlobCommand } from "./testing/any_blob_command.ts";
import { anyForwardCommand } from "./testing/any_forward_command.ts";

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size });
const request = fc.nat(0xffff);
const handle = fc.nat(0xffff_ffff);
const seq = fc.nat({ max: 2 ** 48 - 1 });
const work = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const envelope = fc.constantFrom(...ENVELOPE_SIZES).chain(bytes);
const body = fc.uint8Array({ maxLength: 700 });
// The keys of ERROR_CODES are exactly the error names.
const errors = Object.keys(ERROR_CODES) as ErrorName[];

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constantFrom("HELLO", "OK", "POST", "MEET", "COLLECT", "REMOVE"),
    request,
    body,
  }),
  fc.record({
    type: fc.constant("ERR"),
    request,
    code: fc.constantFrom(...errors),
    detail: body,
  }),
  fc.record({
    type: fc.constant("NEW"),
    request,
    receiveKey: bytes(32),
    sendKey: bytes(32),
    removeKey: bytes(32),
    work,
  }),
  fc.record({
    type: fc.constant("BIND"),
    request,
    role: fc.constant("receive"),
    queue: bytes(16),
    generation: handle,
    signature: bytes(64),
  }),
  fc.record({
    type: fc.constant("BIND"),
    request,
    role: fc.constantFrom("send", "remove"),
    queue: bytes(16),
    generation: fc.constant(0),
    signature: bytes(64),
  }),
  fc.record({
    type: fc.constant("SEND"),
    request,
    handle,
    id: bytes(16),
    envelope,
  }),
  fc.record({
    type: fc.constant("MSG"),
    request,
    handle,
    seq,
    id: bytes(16),
    envelope,
  }),
  fc.record({ type: fc.constant("ACK"), request, handle, seq }),
  fc.record({
    type: fc.constantFrom("DEL", "REPLACED", "CLOSE"),
    request,
    handle,
  }),
  fc.record({
    type: fc.constant("OPEN"),
    request,
    publicKey: bytes(32),
    signature: bytes(64),
    work,
  }),
  fc.record({
    type: fc.constant("JOIN"),
    request,
    nameplate: fc.nat(0xfffff),
    publicKey: bytes(32),
    signature: bytes(64),
    work,
  }),
  fc.record({
    type: fc.constant("PASS"),
    request,
    handle,
    index: fc.nat(255),
    bytes: fc.uint8Array({ maxLength: 16_000 }),
  }),
  fc.record({ type: fc.constantFrom("PING", "NOP"), request }),
  fc.record({
    type: fc.constant("ACCESS"),
    request,
    signature: bytes(64),
    work,
  }),
  anyBlobCommand,
  anyForwardCommand,
);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return error.code;
  }
  throw new assert.AssertionError({ message: "was not refused" });
}

Deno.test("any commands come back from their frames, in order, each frame of one of the seven sizes", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 8 }), (drawn) => {
      // fast-check draws objects without a prototype.
      const commands = drawn.map((one) => ({ ...one }));
      const frames = encodeFrame(commands);
      for (const frame of frames) assert.ok(FRAME_SIZES.includes(frame.length));
      assert.deepEqual(frames.flatMap(decodeFrame), commands);
    }),
    { numRuns: 300 },
  );
});

Deno.test("arbitrary bytes decode to commands or are refused with a WireError, never anything else", () => {
  const types = Object.values(COMMAND_TYPES);
  const noise = fc.tuple(
    fc.constantFrom(0, 1, 511, 512, 513, 1024, 32_768),
    fc.option(fc.constantFrom(...types)),
    fc.array(fc.nat(255), { maxLength: 200 }),
  ).map(([size, type, content]) => {
    const frame = new Uint8Array(size);
    frame.set(content.slice(0, size));
    if (type !== null && size > 0) frame[0] = type;
    return frame;
  });
  fc.assert(
    fc.property(noise, (frame) => {
      try {
        decodeFrame(frame);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("an envelope of each size fills exactly one frame of its class, in SEND and in MSG", () => {
  const id = new Uint8Array(16);
  ENVELOPE_SIZES.forEach((size) => {
    const sealed = new Uint8Array(size).fill(7);
    const send = encodeFrame([{
      type: "SEND",
      request: 1,
      handle: 1,
      id,
      envelope: sealed,
    }]);
    const msg = encodeFrame([{
      type: "MSG",
      request: 0,
      handle: 1,
      seq: 1,
      id,
      envelope: sealed,
    }]);
    // The next to largest leaves room in the largest frame, to be forwarded.
    const frame = size === 32_256 ? 32_768 : size + 32;
    assert.deepEqual([send.length, send[0].length, msg.length, msg[0].length], [
      1,
      frame,
      1,
      frame,
    ]);
  });
  assert.deepEqual(
    ENVELOPE_SIZES,
    [480, 992, 2_016, 4_064, 8_160, 16_352, 32_256, 32_736],
  );
});

Deno.test("102 short answers share the smallest frame and the next one opens another", () => {
  const ok = (request: number): Command => ({
    type: "OK",
    request,
    body: new Uint8Array(),
  });
  const commands = Array.from({ length: 103 }, (_, i) => ok(i + 1));
  assert.deepEqual(
    encodeFrame(commands.slice(0, 102)).map((frame) => frame.length),
    [512],
  );
  assert.deepEqual(encodeFrame(commands).map((frame) => frame.length), [
    512,
    512,
  ]);
});

Deno.test("no commands make no frame, and a frame of zeros holds no commands", () => {
  assert.deepEqual(encodeFrame([]), []);
  for (const size of FRAME_SIZES) {
    assert.deepEqual(decodeFrame(new Uint8Array(size)), []);
  }
});

Deno.test("decoded fields are copies of the frame", () => {
  const [frame] = encodeFrame([{
    type: "OK",
    request: 1,
    body: Uint8Array.of(1, 2, 3),
  }]);
  const [decoded] = decodeFrame(frame);
  frame.fill(0xff);
  assert.deepEqual(decoded, {
    type: "OK",
    request: 1,
    body: Uint8Array.of(1, 2, 3),
  });
});

Deno.test("what is not version 1 is refused for what it is", () => {
  const frame = (...start: number[]) => {
    const bytes = new Uint8Array(512);
    bytes.set(start);
    return bytes;
  };
  for (const size of [0, 511, 513, 1536, 65_536]) {
    assert.equal(
      refusal(() => decodeFrame(new Uint8Array(size))),
      "frame-size",
    );
  }
  assert.equal(refusal(() => decodeFrame(frame(0x7f))), "unknown-command");
  assert.equal(
    refusal(() => decodeFrame(frame(0x40, 0, 1, 0, 1))),
    "malformed",
    "PING with a body",
  );
  assert.equal(
    refusal(() => decodeFrame(frame(0x02, 0, 1, 0xff, 0xff))),
    "malformed",
    "a body beyond the frame",
  );
  assert.equal(
    refusal(() => decodeFrame(frame(0x03, 0, 1, 0, 0))),
    "malformed",
    "ERR without a code",
  );
  assert.equal(
    refusal(() => decodeFrame(frame(0x03, 0, 1, 0, 1, 99))),
    "malformed",
    "ERR off the list",
  );
  assert.equal(
    refusal(() => decodeFrame(frame(0x14, 0, 1, 0, 9))),
    "malformed",
    "ACK cut short",
  );
  assert.equal(
    refusal(() => decodeFrame(frame(0x40, 0, 1, 0, 0, 0, 0, 1))),
    "malformed",
    "padding that says something",
  );
  const truncated = frame();
  truncated[510] = 0x40;
  assert.equal(
    refusal(() => decodeFrame(truncated)),
    "malformed",
    "padding, then a command",
  );
  const cut =
    encodeFrame([{ type: "OK", request: 1, body: new Uint8Array(503) }])[0];
  cut[508] = 0x40;
  assert.equal(
    refusal(() => decodeFrame(cut)),
    "malformed",
    "a command's header beyond the frame",
  );
});

Deno.test("fields out of their range are refused", () => {
  const [bind] = encodeFrame([{
    type: "BIND",
    request: 1,
    role: "send",
    queue: new Uint8Array(16),
    generation: 0,
    signature: new Uint8Array(64),
  }]);
  const unknownRole = bind.slice();
  unknownRole[5] = 3;
  assert.equal(refusal(() => decodeFrame(unknownRole)), "malformed");
  const senderWithGeneration = bind.slice();
  senderWithGeneration[25] = 1;
  assert.equal(refusal(() => decodeFrame(senderWithGeneration)), "malformed");

  const [join] = encodeFrame([{
    type: "JOIN",
    request: 1,
    nameplate: 0xfffff,
    publicKey: new Uint8Array(32),
    signature: new Uint8Array(64),
    work: 0n,
  }]);
  join[6] = 0x10;
  assert.equal(
    refusal(() => decodeFrame(join)),
    "malformed",
    "a nameplate of 21 bits",
  );

  const pass = (size: number): Command => ({
    type: "PASS",
    request: 1,
    handle: 1,
    index: 0,
    bytes: new Uint8Array(size),
  });
  assert.equal(encodeFrame([pass(16_000)]).length, 1);
  assert.equal(refusal(() => encodeFrame([pass(16_001)])), "too-large");
  const envelope: Command = {
    type: "SEND",
    request: 1,
    handle: 1,
    id: new Uint8Array(16),
    envelope: new Uint8Array(481),
  };
  assert.equal(refusal(() => encodeFrame([envelope])), "malformed");
  assert.equal(
    refusal(() =>
      encodeFrame([{ type: "OK", request: 1, body: new Uint8Array(32_764) }])
    ),
    "too-large",
  );
  assert.throws(
    () => encodeFrame([{ type: "ACK", request: 1, handle: 1, seq: 2 ** 48 }]),
    RangeError,
  );
});
