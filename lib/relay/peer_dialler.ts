import type { RelaySocket } from "./socket.ts";

/** How a relay reaches another one. */
export interface PeerDialler {
  /**
   * Whether what has different isolation labels must not share a connection to this origin: over Tor, where
   * each label has a circuit of its own. Elsewhere a label would hide nothing and cost a connection.
   */
  isolates(origin: URL): boolean;
  /**
   * Opens a WebSocket at `/relay` of an http or https origin. No redirect is followed, and nothing larger
   * than a frame is read.
   * @throws {PeerUnreachableError} for whatever may be otherwise later; also when `signal` aborts
   * @throws {PeerForbiddenError} for where this dialler never goes
   */
  dial(origin: URL, options: DialOptions): Promise<RelaySocket>;
}

export interface DialOptions {
  /** Letters, digits and dots: what has the same one may share a circuit. */
  readonly isolation: string;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Nobody answers there as a relay does, now. Says nothing about where. */
export class PeerUnreachableError extends Error {
  override readonly name = "PeerUnreachableError";
}

/** This relay never connects there. Says nothing about where. */
export class PeerForbiddenError extends Error {
  override readonly name = "PeerForbiddenError";
}
