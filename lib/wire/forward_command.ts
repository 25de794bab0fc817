/**
 * What reaches another relay: FWD, which carries it, and the commands that are complete in themselves and only
 * travel so. Byte layouts: docs/protocol.md § Forwarding.
 */

/** The byte that says which way a FWD goes. */
export const DIRECTIONS = { greet: 0, to: 1, here: 2 } as const;

export type ForwardCommand =
  & { type: "FWD" }
  & (
    /** Asks the own relay to connect to another one, and for its HELLO. */
    | {
      about: "greet";
      work: bigint;
      /** 16, random: over Tor, what has one label shares no circuit with what has another. */
      label: Uint8Array;
      /** The other relay's public URL, an origin, as encodeUrl writes it. */
      url: Uint8Array;
    }
    /** Asks the own relay to pass on what it cannot open. */
    | { about: "to"; handle: number; sealed: Uint8Array /* SEALED_SIZES */ }
    /** For the relay that hears it. */
    | { about: "here"; sealed: Uint8Array /* SEALED_SIZES */ }
  );

/** What MEET does, with its number on the wire. */
export const ACTS = { look: 0, pass: 1, close: 2 } as const;
export type Act = keyof typeof ACTS;

/** The commands that only travel so, as they are told apart from all others. */
export const ONE_SHOTS = ["POST", "COLLECT", "REMOVE", "MEET"] as const;
export type OneShotType = typeof ONE_SHOTS[number];

export type OneShotCommand =
  & { signature: Uint8Array /* 64, over proofMessage */ }
  & (
    /** SEND, complete in itself. Signed by the queue's send key. */
    | {
      type: "POST";
      queue: Uint8Array /* 16 */;
      id: Uint8Array /* 16 */;
      /** Of a size in ENVELOPE_SIZES; empty: only asks whether there is such a queue. */
      envelope: Uint8Array;
    }
    /** BIND to receive, ACK and hearing of MSG, complete in itself. Signed by the queue's receive key. */
    | {
      type: "COLLECT";
      queue: Uint8Array /* 16 */;
      generation: number /* u32 */;
      /** Up to which, itself included, all was read and can go; 0: nothing. */
      seq: number /* u48 */;
    }
    /** DEL, complete in itself. Signed by the queue's remove key. */
    | { type: "REMOVE"; queue: Uint8Array /* 16 */ }
    /** PASS, CLOSE and hearing of both, complete in itself. Signed by the party's key. */
    | {
      type: "MEET";
      nameplate: number /* 20 bits */;
      publicKey: Uint8Array /* 32: of who has joined */;
      act: Act;
      /** Of what is passed; of what is looked for, the lowest. */
      index: number /* u8 */;
      bytes: Uint8Array /* ≤ MAX_PASS; empty unless something is passed */;
    }
  );
