import type { SignalErrorCode } from "../../mod.ts";

/*
 * What official libsignal says, written down, so that places it does not run in (a browser) can be held to it.
 * All bytes are hexadecimal.
 */

type Hex = string;

export interface Vectors {
  readonly agreements: readonly {
    readonly privateKey: Hex;
    readonly publicKey: Hex;
    readonly theirPublicKey: Hex;
    readonly secret: Hex;
  }[];
  readonly signatures: readonly {
    readonly publicKey: Hex;
    readonly message: Hex;
    readonly signature: Hex;
    readonly valid: boolean;
  }[];
  readonly safetyNumbers: readonly {
    readonly localId: string;
    readonly localKey: Hex;
    readonly remoteId: string;
    readonly remoteKey: Hex;
    readonly displayable: string;
    readonly scannable: Hex;
  }[];
  readonly beginnings: readonly Beginning[];
  readonly conversations: readonly Moment[];
}

export interface Named {
  readonly serviceId: string;
  readonly deviceId: number;
}

export interface VectorKeyPair {
  readonly privateKey: Hex;
  readonly publicKey: Hex;
}

/** First messages to a device, in this order, and what it makes of each: the text, or why not. */
export interface Beginning {
  readonly sender: Named;
  readonly recipient: Named & { readonly registrationId: number };
  readonly identity: VectorKeyPair;
  readonly signedPreKey: VectorKeyPair & {
    readonly id: number;
    readonly signature: Hex;
  };
  readonly kyberPreKey: {
    readonly id: number;
    /** d ‖ z */
    readonly seed: Hex;
    readonly publicKey: Hex;
    readonly signature: Hex;
  };
  readonly preKey?: VectorKeyPair & { readonly id: number };
  readonly messages: readonly {
    readonly bytes: Hex;
    readonly text?: string;
    readonly refused?: SignalErrorCode;
  }[];
}

/** A moment of a conversation: the next message of libsignal to us. */
export interface Moment {
  /** Epoch of SPQR in the message. */
  readonly epoch: number;
  readonly local: Named & {
    readonly registrationId: number;
    readonly identity: VectorKeyPair;
  };
  readonly remote: Named;
  /** Our stored session before it. */
  readonly session: Hex;
  readonly message: Hex;
  readonly text: string;
  /** What libsignal needs to read our answer to it. */
  readonly theirs: {
    readonly privateKey: Hex;
    readonly registrationId: number;
    readonly record: Hex;
  };
}
