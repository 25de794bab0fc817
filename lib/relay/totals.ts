/** What the relay counts of its own doing, in all: nothing of a client, a queue or a time. */
export class Counts {
  connectionsAccepted = 0;
  connectionsRefused = 0;
  messagesAccepted = 0;
  messagesAcknowledged = 0;
}

/** Everything a host may know: counts since the start, and how much there is now. */
export type Totals = Readonly<
  Counts & {
    connections: number;
    commits: number;
    commitFailures: number;
    storedBytes: number;
    storedBytesLimit: number;
    unwrittenBytes: number;
    rendezvous: number;
    /** Connections to other relays. */
    peers: number;
  }
>;

/** Whether the relay does what it is for. */
export type Health = {
  /** The store took the last commit, at most half a minute ago. */
  readonly writable: boolean;
  /** It finishes what it accepted, and accepts nothing more. */
  readonly draining: boolean;
};
