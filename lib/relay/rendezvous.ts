import { sha256 } from "@noble/hashes/sha2.js";
import type { ErrorName } from "../wire/mod.ts";
import type { QueueContext } from "./queue.ts";
import {
  decodeRendezvous,
  encodeRendezvous,
  PASSES,
  passKey,
  RENDEZVOUS,
  rendezvousKey,
  type RendezvousRecord,
} from "./records.ts";

/** How long a nameplate rests after its end: a code read out late must not meet strangers. */
const REST_MS = 600_000;

const NAMEPLATES = 1 << 20;

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

/** One meeting of two parties who share a nameplate. */
export type Rendezvous = RendezvousRecord & {
  nameplate: number;
  /** Hashes of what each side passed, by index; `durable` once the other may be told. */
  passes: [Map<number, Passed>, Map<number, Passed>];
  parties: [Party | undefined, Party | undefined];
};

type Passed = { hash: string; durable: boolean };

export type Outcome = ErrorName | undefined;

/** All rendezvous, in memory with a copy on disk, so that both sides may come back after a restart. */
export class RendezvousDesk {
  readonly #context: QueueContext;
  readonly #byNameplate = new Map<number, Rendezvous>();
  readonly #byOpener = new Map<string, Rendezvous>();

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
        await desk.#restore(nameplate, decodeRendezvous(value));
      }
      if (page.length < 500) return desk;
    }
  }

  /** Gives out a nameplate, or the one that this key has already. */
  open(
    publicKey: Uint8Array,
    answer: (outcome: Outcome, rendezvous?: Rendezvous) => void,
  ): void {
    const known = this.#byOpener.get(keyText(publicKey));
    if (known !== undefined) {
      if (this.#over(known)) return answer("no-such-rendezvous");
      this.#context.flusher.wait((error) =>
        answer(error === undefined ? undefined : "busy", known)
      );
      return;
    }
    const { limits, now } = this.#context;
    if (this.#byNameplate.size >= limits.rendezvous) return answer("busy");
    const rendezvous: Rendezvous = {
      nameplate: this.#freeNameplate(),
      opener: publicKey,
      joiner: undefined,
      closed: false,
      expires: now() + limits.rendezvousLifetime * 1_000,
      passes: [new Map(), new Map()],
      parties: [undefined, undefined],
    };
    this.#keep(rendezvous);
    this.#write(rendezvous, (error) => {
      if (error !== undefined) this.#drop(rendezvous);
      answer(error === undefined ? undefined : "busy", rendezvous);
    });
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
    if (keyText(rendezvous.opener) === keyText(publicKey)) {
      return answer("conflict");
    }
    if (rendezvous.joiner !== undefined) {
      if (keyText(rendezvous.joiner) !== keyText(publicKey)) {
        return answer("taken");
      }
      this.#context.flusher.wait((error) =>
        answer(error === undefined ? undefined : "busy", rendezvous)
      );
      return;
    }
    rendezvous.joiner = publicKey;
    this.#write(rendezvous, (error) => {
      if (error !== undefined) rendezvous.joiner = undefined;
      answer(error === undefined ? undefined : "busy", rendezvous);
    });
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
    const waiting = [...rendezvous.passes[other(side)]].filter(([, passed]) =>
      passed.durable
    );
    for (const [index] of waiting.sort(([a], [b]) => a - b)) {
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
    const passes = rendezvous.passes[side];
    const hash = keyText(sha256(bytes));
    const known = passes.get(index);
    if (known !== undefined) {
      if (known.hash !== hash) return answer("conflict");
      this.#context.flusher.wait((error) =>
        answer(error === undefined && passes.has(index) ? undefined : "busy")
      );
      return;
    }
    const { flusher, limits } = this.#context;
    if (passes.size >= limits.passesPerSide) return answer("full");
    if (flusher.unwrittenBytes + bytes.length > limits.unwrittenBytes) {
      return answer("busy");
    }
    const passed: Passed = { hash, durable: false };
    passes.set(index, passed);
    const key = passKey(rendezvous.nameplate, side, index);
    flusher.write(
      { key, value: bytes, expireIn: this.#expireIn(rendezvous) },
      (error) => {
        if (error !== undefined) {
          passes.delete(index);
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
      this.#deletePasses(rendezvous);
      if (rendezvous.expires + REST_MS > now) continue;
      for (const party of rendezvous.parties) party?.released();
      this.#drop(rendezvous);
      this.#context.flusher.writeEventually({
        key: rendezvousKey(rendezvous.nameplate),
      }, () => {});
    }
  }

  #over(rendezvous: Rendezvous): boolean {
    return rendezvous.closed || rendezvous.expires <= this.#context.now();
  }

  async #restore(nameplate: number, record: RendezvousRecord): Promise<void> {
    const latest = this.#context.now() +
      this.#context.limits.rendezvousLifetime * 1_000;
    const rendezvous: Rendezvous = {
      ...record,
      // A clock that was ahead must not keep it longer than promised.
      expires: Math.min(record.expires, latest),
      nameplate,
      passes: [new Map(), new Map()],
      parties: [undefined, undefined],
    };
    for (const side of [OPENER, JOINER] as const) {
      for (
        const { key, value } of await this.#context.store.list([
          PASSES,
          nameplate,
          side,
        ], { limit: 256 })
      ) {
        rendezvous.passes[side].set(numberIn(key, 3), {
          hash: keyText(sha256(value)),
          durable: true,
        });
      }
    }
    this.#keep(rendezvous);
  }

  #freeNameplate(): number {
    for (;;) {
      const nameplate = crypto.getRandomValues(new Uint32Array(1))[0] %
        NAMEPLATES;
      if (!this.#byNameplate.has(nameplate)) return nameplate;
    }
  }

  #keep(rendezvous: Rendezvous): void {
    this.#byNameplate.set(rendezvous.nameplate, rendezvous);
    this.#byOpener.set(keyText(rendezvous.opener), rendezvous);
  }

  #drop(rendezvous: Rendezvous): void {
    this.#byNameplate.delete(rendezvous.nameplate);
    this.#byOpener.delete(keyText(rendezvous.opener));
  }

  #deletePasses(rendezvous: Rendezvous): void {
    for (const side of [OPENER, JOINER] as const) {
      for (const index of rendezvous.passes[side].keys()) {
        this.#context.flusher.writeEventually({
          key: passKey(rendezvous.nameplate, side, index),
        }, () => {});
      }
      rendezvous.passes[side].clear();
    }
  }

  #write(rendezvous: Rendezvous, settle: (error?: unknown) => void): void {
    this.#context.flusher.write({
      key: rendezvousKey(rendezvous.nameplate),
      value: encodeRendezvous(rendezvous),
      expireIn: this.#expireIn(rendezvous),
    }, settle);
  }

  #expireIn(rendezvous: Rendezvous): number {
    return Math.max(rendezvous.expires - this.#context.now(), 0) + REST_MS;
  }
}

function other(side: Side): Side {
  return side === OPENER ? JOINER : OPENER;
}

function keyText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
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
