import fc from "fast-check";
import {
  type Command,
  encodeUrl,
  ENVELOPE_SIZES,
  type OneShotCommand,
  SEALED_SIZES,
} from "../mod.ts";

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size });
const request = fc.nat(0xffff);
const sealed = fc.constantFrom(...SEALED_SIZES.slice(0, 3)).chain(bytes);
const signature = bytes(64);

/** FWD of the right shape, sealed by nobody. */
export const anyForwardCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constant("FWD"),
    request,
    about: fc.constant("greet"),
    work: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    label: bytes(16),
    url: fc.oneof(
      fc.webUrl({ size: "small" }).map((url) => encodeUrl(url.slice(0, 60))),
      fc.uint8Array({ maxLength: 300 }),
    ),
  }),
  fc.record({
    type: fc.constant("FWD"),
    request,
    about: fc.constant("to"),
    handle: fc.oneof(fc.nat(6), fc.nat(0xffff_ffff)),
    sealed,
  }),
  fc.record({
    type: fc.constant("FWD"),
    request,
    about: fc.constant("here"),
    sealed,
  }),
);

/** Each one-shot command of the right shape, signed by nobody. */
export const anyOneShotCommand: fc.Arbitrary<OneShotCommand> = fc.oneof(
  fc.record({
    type: fc.constant("POST"),
    queue: bytes(16),
    id: bytes(16),
    envelope: fc.constantFrom(0, ...ENVELOPE_SIZES.slice(0, 3)).chain(bytes),
    signature,
  }),
  fc.record({
    type: fc.constant("COLLECT"),
    queue: bytes(16),
    generation: fc.nat(0xffff_ffff),
    seq: fc.nat(2 ** 48 - 1),
    signature,
  }),
  fc.record({ type: fc.constant("REMOVE"), queue: bytes(16), signature }),
  fc.record({
    type: fc.constant("MEET"),
    nameplate: fc.nat(0xfffff),
    publicKey: bytes(32),
    act: fc.constant("pass"),
    index: fc.nat(255),
    bytes: fc.uint8Array({ maxLength: 16_000 }),
    signature,
  }),
  fc.record({
    type: fc.constant("MEET"),
    nameplate: fc.nat(0xfffff),
    publicKey: bytes(32),
    act: fc.constantFrom("look", "close"),
    index: fc.nat(255),
    bytes: fc.constant(new Uint8Array()),
    signature,
  }),
);
