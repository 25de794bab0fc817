import { sha256 } from "@noble/hashes/sha2.js";
import { type ErrorName, type Left, MAX_PASS } from "../wire/mod.ts";
import type { Kept } from "./stored_bytes.ts";
import { bytesOf, textOf } from "./byte_text.ts";
import type { Pending } from "./flusher.ts";
import type { QueueContext } from "./queue_context.ts";
import {
  decodeRendezvous,
  encodeRendezvous,
  passBytes,
  PASSES,
  passKey,
  RENDEZVOUS,
  RENDEZVOUS_BYTES,
  rendezvousKey,
} from "./records.ts";

/** How long a nameplate rests after its end: a code read out late must not meet strangers. */
const REST_MS = 600_000;

const NAMEPLATES = 1 << 20;

/** Past half, rests included, looking for a free one takes long, and a code read out wrong meets strangers. */
const MOST_NAMEPLATES = NAMEPLATES / 2;

/** As many as there are indexes. */
const MOST_PASSES = 256;

/** What one answer to who looks carries at most, three bytes being said about each: two of the largest. */
const MOST_LEFT_BYTES = 2 * (MAX_PASS + 3);

/** The connection of one party. */
export interface Party {
  pass(index: number, bytes: Uint8Array): void;
  closed(): void;
  /** The same key came on another connection, or nothing is left to say: the handle is void. */
  released(): void;
}

export const OPENER = 0;
export const JOINER = 1;
export type Side = typeof OPENER | typeof JOINER;

/**
 * One meeting of two parties who share a nameplate. It stays until its nameplate has rested, so it
 * is kept small: keys are strings of bytes (an array of 32 bytes takes six times as much).
 */
export type Rendezvous = {
  readonly nameplate: number;
  readonly opener: string;
  joiner: string | undefined;
  closed: boolean;
  /** ms */
  readonly expires: number;
  /** Empty once it is over. */
  passes: Passed[];
  parties: [Party | undefined, Party | undefined];
};

/** What a side left under an index. */
type Passed = {
  readonly side: Side;
  readonly index: number;
  readonly hash: string;
  readonly size: number;
  /** The other side may be told. */
  durable: boolean;
  /** Its deletion, on its way to the disk. */
  removal?: Pending;
};

export type Outcome = ErrorName | undefined;

/** All rendezvous, in memory with a copy on disk, so that both sides may come back after a restart. */
export class RendezvousDesk {
  readonly #context: QueueContext;
  readonly #byNameplate = new Map<number, Rendezvous>();
  readonly #byOpener = new Map<string, Rendezvous>();
  /** Those that are not over: the first to expire first, but for clocks that went back and restarts. */
  readonly #live = new Set<Rendezvous>();

  private constructor(context: QueueContext) {
    this.#context = context;
  }

  static async open(context: QueueContext): Promise<RendezvousDesk> {
    const desk = new RendezvousDesk(context);
    for (let start = 0;;) {
      const page = await context.store.list([RENDEZVOUS], {
        start,
        limit: 500,
      });
      for (const { key, value } of page) {
        const nameplate = numberIn(key, 1);
        start = nameplate + 1;
        await desk.#restore(nameplate, value);
      }
      if (page.length < 500) return desk;
    }
  }

  /** Rendezvous that are not over. */
  get live(): number {
    this.#countOut();
    return this.#live.size;
  }

  /**
   * Bits of work that OPEN by this key costs on top: one when half the places are taken, another for
   * each halving of what is left. To come back to one's own costs nothing more.
   */
  surcharge(publicKey: Uint8Array): number {
    if (this.#byOpener.has(textOf(publicKey))) return 0;
    this.#countOut();
    const places = Math.max(1, this.#context.limits.rendezvous);
    const left = Math.max(1, places - this.#live.size);
    return Math.floor(Math.log2(places / left));
  }

  /** Gives out a nameplate, or the one that this key has already. */
  open(
    publicKey: Uint8Array,
    answer: (outcome: Outcome, rendezvous?: Rendezvous) => void,
  ): void {
    const opener = textOf(publicKey);
    const known = this.#byOpener.get(opener);
    if (known !== undefined) {
      if (this.#over(known)) return answer("no-such-rendezvous");
      this.#context.flusher.wait((error) =>
        answer(error === undefined ? undefined : "busy", known)
      );
      return;
    }
    const { limits, now } = this.#context;
    this.#countOut();
    if (
      this.#live.size >= limits.rendezvous ||
      this.#byNameplate.size >= MOST_NAMEPLATES ||
      !this.#context.stored.hasRoom(RENDEZVOUS_BYTES)
    ) return answer("busy");
    const rendezvous: Rendezvous = {
      nameplate: this.#freeNameplate(),
      opener,
      joiner: undefined,
      closed: false,
      expires: now() + limits.rendezvousLifetime * 1_000,
      passes: [],
      parties: [undefined, undefined],
    };
    this.#keep(rendezvous);
    this.#write(rendezvous, (error) => {
      if (error !== undefined) this.#drop(rendezvous);
      answer(error === undefined ? undefined : "busy", rendezvous);
    }, [{ bytes: RENDEZVOUS_BYTES, expires: goneAt(rendezvous) }]);
  }

  /** Takes the second place, or comes back to it. */
  join(
    nameplate: number,
    publicKey: Uint8Array,
    answer: (outcome: Outcome, rendezvous?: Rendezvous) => void,
  ): void {
    const rendezvous = this.#byNameplate.get(nameplate);
    if (rendezvous === undefined) return answer("no-such-rendezvous");
    if (rendezvous.closed) return answer("taken");
    if (this.#over(rendezvous)) return answer("no-such-rendezvous");
    const joiner = textOf(publicKey);
    if (rendezvous.opener === joiner) return answer("conflict");
    if (rendezvous.joiner !== undefined) {
      if (rendezvous.joiner !== joiner) return answer("taken");
      this.#context.flusher.wait((error) =>
        answer(error === undefined ? undefined : "busy", rendezvous)
      );
      return;
    }
    rendezvous.joiner = joiner;
    this.#write(rendezvous, (error) => {
      if (error !== undefined) rendezvous.joiner = undefined;
      answer(error === undefined ? undefined : "busy", rendezvous);
    });
  }

  /** The rendezvous that this key has joined, over or not. */
  joined(nameplate: number, publicKey: Uint8Array): Rendezvous | undefined {
    const rendezvous = this.#byNameplate.get(nameplate);
    return rendezvous?.joiner === textOf(publicKey) ? rendezvous : undefined;
  }

  /** What the other side left under `from` or a higher index, as much as one answer takes; undefined when it is over. */
  async left(
    rendezvous: Rendezvous,
    side: Side,
    from: number,
  ): Promise<Left[] | undefined> {
    if (this.#over(rendezvous)) return undefined;
    const left: Left[] = [];
    let room = MOST_LEFT_BYTES;
    for (const { index, size } of this.#waiting(rendezvous, side)) {
      if (index < from) continue;
      room -= size + 3;
      if (room < 0) break;
      const key = passKey(rendezvous.nameplate, other(side), index);
      const bytes = await this.#context.store.get(key);
      // Undefined when it was closed meanwhile.
      if (bytes !== undefined) left.push({ index, bytes });
    }
    return left;
  }

  /** Connects a party: everything that the other side left is told, what comes later when it comes. */
  async attend(
    rendezvous: Rendezvous,
    side: Side,
    party: Party,
  ): Promise<void> {
    const before = rendezvous.parties[side];
    if (before !== undefined && before !== party) before.released();
    rendezvous.parties[side] = party;
    for (const { index } of this.#waiting(rendezvous, side)) {
      const bytes = await this.#context.store.get(
        passKey(rendezvous.nameplate, other(side), index),
      );
      if (bytes !== undefined && rendezvous.parties[side] === party) {
        party.pass(index, bytes);
      }
    }
  }

  leave(rendezvous: Rendezvous, side: Side, party: Party): void {
    if (rendezvous.parties[side] === party) {
      rendezvous.parties[side] = undefined;
    }
  }

  /** Leaves bytes for the other side; the same again is OK. */
  pass(
    rendezvous: Rendezvous,
    side: Side,
    index: number,
    bytes: Uint8Array,
    answer: (outcome: Outcome) => void,
  ): void {
    if (this.#over(rendezvous)) return answer("no-such-rendezvous");
    const hash = textOf(sha256(bytes));
    const mine = rendezvous.passes.filter((passed) => passed.side === side);
    const known = mine.find((passed) => passed.index === index);
    if (known !== undefined) {
      if (known.hash !== hash) return answer("conflict");
      this.#context.flusher.wait((error) =>
        answer(error === undefined && known.durable ? undefined : "busy")
      );
      return;
    }
    const { flusher, limits, stored } = this.#context;
    if (mine.length >= limits.passesPerSide) return answer("full");
    const size = bytes.length;
    if (
      flusher.unwrittenBytes + size > limits.unwrittenBytes ||
      !stored.hasRoom(passBytes(size))
    ) return answer("busy");
    const passed: Passed = { side, index, hash, size, durable: false };
    rendezvous.passes.push(passed);
    const key = passKey(rendezvous.nameplate, side, index);
    flusher.write(
      { key, value: bytes, expireIn: this.#expireIn(rendezvous) },
      (error) => {
        if (error !== undefined) {
          rendezvous.passes = rendezvous.passes.filter((one) => one !== passed);
          if (passed.removal !== undefined) passed.removal.kept = [];
          return answer("busy");
        }
        passed.durable = true;
        answer(undefined);
        if (!this.#over(rendezvous)) {
          rendezvous.parties[other(side)]?.pass(
            index,
            bytes,
          );
        }
      },
      [{ bytes: passBytes(size), expires: goneAt(rendezvous) }],
    );
  }

  /** Ends it: what was left is deleted, the nameplate is dead. */
  close(
    rendezvous: Rendezvous,
    side: Side,
    answer: (outcome: Outcome) => void,
  ): void {
    const first = !rendezvous.closed;
    rendezvous.closed = true;
    this.#live.delete(rendezvous);
    if (first) this.#deletePasses(rendezvous);
    this.#write(rendezvous, (error) => {
      // Memory holds it closed either way; a repeat tries again to make that last.
      if (error !== undefined) return answer("busy");
      answer(undefined);
      if (first) rendezvous.parties[other(side)]?.closed();
    });
  }

  /** Forgets what is over, nameplates after their rest. */
  sweep(): void {
    const now = this.#context.now();
    for (const rendezvous of this.#byNameplate.values()) {
      if (rendezvous.expires > now) continue;
      this.#live.delete(rendezvous);
      this.#deletePasses(rendezvous);
      if (rendezvous.expires + REST_MS > now) continue;
      for (const party of rendezvous.parties) party?.released();
      this.#drop(rendezvous);
      this.#context.flusher.writeEventually(
        { key: rendezvousKey(rendezvous.nameplate) },
        () => {},
        [{ bytes: -RENDEZVOUS_BYTES, expires: goneAt(rendezvous) }],
      );
    }
  }

  /** What a side may be told, in order. */
  #waiting(rendezvous: Rendezvous, side: Side): Passed[] {
    return rendezvous.passes
      .filter((passed) => passed.side === other(side) && passed.durable)
      .sort((a, b) => a.index - b.index);
  }

  #over(rendezvous: Rendezvous): boolean {
    return rendezvous.closed || rendezvous.expires <= this.#context.now();
  }

  /** Stops counting what has expired, as far as it comes first; `sweep` finds the rest. */
  #countOut(): void {
    for (const rendezvous of this.#live) {
      if (!this.#over(rendezvous)) return;
      this.#live.delete(rendezvous);
    }
  }

  async #restore(nameplate: number, value: Uint8Array): Promise<void> {
    const { now, limits, store } = this.#context;
    const { opener, joiner, closed, expires } = decodeRendezvous(value);
    const rendezvous: Rendezvous = {
      nameplate,
      opener: textOf(opener),
      joiner: joiner && textOf(joiner),
      closed,
      // A clock that was ahead must not keep it longer than promised.
      expires: Math.min(expires, now() + limits.rendezvousLifetime * 1_000),
      passes: [],
      parties: [undefined, undefined],
    };
    for (const side of [OPENER, JOINER] as const) {
      const passes = await store.list([PASSES, nameplate, side], {
        limit: MOST_PASSES,
      });
      for (const { key, value } of passes) {
        rendezvous.passes.push({
          side,
          index: numberIn(key, 3),
          hash: textOf(sha256(value)),
          size: value.length,
          durable: true,
        });
      }
    }
    this.#keep(rendezvous);
  }

  #freeNameplate(): number {
    for (;;) {
      const { buffer } = this.#context.random(4);
      const nameplate = new DataView(buffer).getUint32(0) % NAMEPLATES;
      if (!this.#byNameplate.has(nameplate)) return nameplate;
    }
  }

  #keep(rendezvous: Rendezvous): void {
    this.#byNameplate.set(rendezvous.nameplate, rendezvous);
    this.#byOpener.set(rendezvous.opener, rendezvous);
    if (!this.#over(rendezvous)) this.#live.add(rendezvous);
  }

  #drop(rendezvous: Rendezvous): void {
    this.#byNameplate.delete(rendezvous.nameplate);
    this.#byOpener.delete(rendezvous.opener);
    this.#live.delete(rendezvous);
  }

  #deletePasses(rendezvous: Rendezvous): void {
    for (const passed of rendezvous.passes) {
      passed.removal = this.#context.flusher.writeEventually(
        { key: passKey(rendezvous.nameplate, passed.side, passed.index) },
        () => {},
        [{ bytes: -passBytes(passed.size), expires: goneAt(rendezvous) }],
      );
    }
    rendezvous.passes = [];
  }

  #write(
    rendezvous: Rendezvous,
    settle: (error?: unknown) => void,
    kept?: readonly Kept[],
  ): void {
    this.#context.flusher.write(
      {
        key: rendezvousKey(rendezvous.nameplate),
        value: encodeRendezvous({
          ...rendezvous,
          opener: bytesOf(rendezvous.opener),
          joiner: rendezvous.joiner === undefined
            ? undefined
            : bytesOf(rendezvous.joiner),
        }),
        expireIn: this.#expireIn(rendezvous),
      },
      settle,
      kept,
    );
  }

  #expireIn(rendezvous: Rendezvous): number {
    return Math.max(goneAt(rendezvous) - this.#context.now(), REST_MS);
  }
}

/** When nothing of it is left. */
export function goneAt({ expires }: Pick<Rendezvous, "expires">): number {
  return expires + REST_MS;
}

function other(side: Side): Side {
  return side === OPENER ? JOINER : OPENER;
}

function numberIn(
  key: readonly (string | number | Uint8Array)[],
  at: number,
): number {
  const part = key[at];
  if (typeof part !== "number") {
    throw new TypeError("a rendezvous in the store has no number");
  }
  return part;
}
