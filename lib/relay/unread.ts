/** A connection for which bytes wait that its client has not read. */
export interface Unreading {
  /** There are too many in all, and it has the most: it is closed. */
  cutUnread(): void;
}

/**
 * Bytes that clients have not read, of all connections together. Beyond half of the bound only those are
 * pushed to that have little; beyond all of it those are closed that have the most.
 */
export class Unread {
  readonly #most: number;
  readonly #share: number;
  readonly #held = new Map<Unreading, number>();
  #bytes = 0;

  /** `most` bytes, of up to `connections`. */
  constructor(most: number, connections: number) {
    this.#most = most;
    // Not nothing: who has read everything can be pushed to, else nobody would notice when there is room.
    this.#share = Math.max(1, Math.floor(most / 2 / Math.max(1, connections)));
  }

  /** Whether more may be pushed to a connection for which so many bytes wait. */
  hasRoom(bytes: number): boolean {
    return bytes < this.#share || this.#bytes < this.#most / 2;
  }

  /** Notes how many bytes wait for a connection now: 0 when it is over. */
  note(connection: Unreading, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(connection) ?? 0);
    if (bytes === 0) this.#held.delete(connection);
    else this.#held.set(connection, bytes);
    while (this.#bytes > this.#most) this.#cutLargest();
  }

  #cutLargest(): void {
    const [largest] = [...this.#held].reduce((most, one) =>
      one[1] > most[1] ? one : most
    );
    this.note(largest, 0);
    largest.cutUnread();
  }
}
