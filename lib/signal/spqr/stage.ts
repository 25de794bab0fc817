/**
 * Where one side is in the key exchange of the current epoch. One side sends
 * its encapsulation key (KeysUnsampled … EkSentCt1Received), the other the
 * ciphertext (NoHeaderReceived … Ct2Sampled); they swap with every epoch.
 */
import type { Authenticator } from "./authenticator.ts";
import type { Chunks } from "./erasure_code.ts";

type Common = {
  readonly epoch: number;
  readonly authenticator: Authenticator;
};

/**
 * `next…` is the index of the chunk to send next, `received…` what has come of a value. `secretKey` is the seed
 * (64 bytes), from which the key is made again when it is needed; or the key itself (2400), in a state that was
 * stored by version 1. `vector`: the part of the public key that goes out in chunks.
 */
export type Stage =
  & Common
  & (
    | { readonly kind: "KeysUnsampled" }
    | {
      readonly kind: "KeysSampled";
      readonly secretKey: Uint8Array;
      /** header ‖ MAC */
      readonly header: Uint8Array;
      readonly vector: Uint8Array;
      readonly nextChunk: number;
    }
    | {
      readonly kind: "HeaderSent";
      readonly secretKey: Uint8Array;
      readonly vector: Uint8Array;
      readonly nextChunk: number;
      readonly receivedCt1: Chunks;
    }
    | {
      readonly kind: "Ct1Received";
      readonly secretKey: Uint8Array;
      readonly vector: Uint8Array;
      readonly nextChunk: number;
      readonly ct1: Uint8Array;
    }
    | {
      readonly kind: "EkSentCt1Received";
      readonly secretKey: Uint8Array;
      readonly ct1: Uint8Array;
      readonly receivedCt2: Chunks;
    }
    | { readonly kind: "NoHeaderReceived"; readonly receivedHeader: Chunks }
    | { readonly kind: "HeaderReceived"; readonly header: Uint8Array }
    | {
      readonly kind: "Ct1Sampled";
      readonly header: Uint8Array;
      /** The randomness of the encapsulation: with it goes the epoch's secret. */
      readonly m: Uint8Array;
      readonly ct1: Uint8Array;
      readonly nextChunk: number;
      readonly receivedEk: Chunks;
    }
    | {
      readonly kind: "EkReceivedCt1Sampled";
      readonly ct1: Uint8Array;
      readonly nextChunk: number;
      /** ct2 ‖ MAC, made at once so that `m` can go. */
      readonly ct2: Uint8Array;
    }
    | {
      readonly kind: "Ct1Acknowledged";
      readonly header: Uint8Array;
      readonly m: Uint8Array;
      readonly ct1: Uint8Array;
      readonly receivedEk: Chunks;
    }
    | {
      readonly kind: "Ct2Sampled";
      /** ct2 ‖ MAC */
      readonly ct2: Uint8Array;
      readonly nextChunk: number;
    }
  );

export type StageOf<Kind extends Stage["kind"]> = Extract<
  Stage,
  { kind: Kind }
>;
