import fc from "fast-check";
import { type BlobCommand, chunkSize, MAX_CHUNK } from "../mod.ts";

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size });
const u32 = fc.nat(0xffff_ffff);
const request = fc.nat(0xffff);
const work = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bundle = fc.uint8Array({ minLength: 1, maxLength: 60 });
const bundles = fc.array(bundle, { maxLength: 5 });
const signature = bytes(64);

/** Sizes of contents and an index that there is a chunk for. */
const place = fc.oneof(
  fc.record({ bytes: fc.integer({ min: 1, max: 700 }), index: fc.constant(0) }),
  fc.integer({ min: 0, max: 0xffff }).chain((index) =>
    fc.record({
      bytes: fc.integer({
        min: index * MAX_CHUNK + 1,
        max: Math.min(index * MAX_CHUNK + 900, 0xffff_ffff),
      }),
      index: fc.constant(index),
    })
  ),
);

/** PUT, GET, DROP and TAKE of the right shape, signed by nobody. */
export const anyBlobCommand: fc.Arbitrary<BlobCommand & { request: number }> =
  fc.oneof(
    fc.record({
      type: fc.constant("PUT"),
      request,
      about: fc.constant("blob"),
      readKey: bytes(32),
      ownKey: bytes(32),
      writeKey: bytes(32),
      epoch: u32,
      bytes: u32,
      lifetime: u32,
      work,
      signature,
    }),
    fc.record({
      type: fc.constant("PUT"),
      request,
      about: fc.constant("chunk"),
      blob: bytes(16),
      base: u32,
      draft: bytes(16),
      place,
      signature,
    }).map(({ place, ...rest }) => ({
      ...rest,
      ...place,
      chunk: new Uint8Array(chunkSize(place.bytes, place.index)).fill(7),
    })),
    fc.record({
      type: fc.constant("PUT"),
      request,
      about: fc.constant("pool"),
      takeKey: bytes(32),
      ownKey: bytes(32),
      work,
      lastResort: bundle,
      bundles,
      signature,
    }),
    fc.record({
      type: fc.constant("PUT"),
      request,
      about: fc.constant("bundles"),
      pool: bytes(16),
      base: u32,
      discard: fc.boolean(),
      lastResort: fc.oneof(bundle, fc.constant(new Uint8Array())),
      bundles,
      signature,
    }),
    fc.record({
      type: fc.constant("GET"),
      request,
      about: fc.constant("chunk"),
      blob: bytes(16),
      version: u32,
      index: fc.nat(0xffff),
      signature,
    }),
    fc.record({
      type: fc.constantFrom("GET", "DROP"),
      request,
      about: fc.constantFrom("blob", "pool"),
      id: bytes(16),
      signature,
    }),
    fc.record({
      type: fc.constant("TAKE"),
      request,
      pool: bytes(16),
      id: bytes(16),
      signature,
    }),
  );
