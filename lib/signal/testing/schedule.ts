import assert from "node:assert/strict";
import { type CiphertextMessage, WHISPER } from "../mod.ts";
import { MAX_RECEIVING_CHAINS } from "../double_ratchet.ts";
import { parsePreKeyMessage, parseSignalMessage } from "../messages.ts";
import { MAX_ARCHIVED_STATES } from "../session.ts";
import { introduce, type Party } from "./party.ts";
import { refuses } from "./refusal.ts";
import { hear, say, write } from "./text.ts";

/** What can happen on a line, which is one direction between two people. */
export const HAPPENINGS = [
  "send",
  "deliver",
  "lose",
  /** A message that arrived comes once more. */
  "repeat",
  /** A message under way comes with one bit changed, before the genuine one. */
  "alter",
  /** The sender begins a new session, from a fresh bundle. */
  "renew",
] as const;

export interface Happening {
  readonly what: typeof HAPPENINGS[number];
  /** Which line; any number. */
  readonly line: number;
  /** Which message of those that could be meant; 0 is the oldest. Any number. */
  readonly choice: number;
}

interface UnderWay {
  readonly message: CiphertextMessage;
  readonly text: string;
  readonly chain: Chain;
  /** How many sessions the two had begun when it was sent. */
  readonly sessions: number;
}

/** The messages under one ratchet key. */
interface Chain {
  /** The receiver heard of it as its n-th chain. */
  heard?: number;
}

/** Beyond so many messages under way, or chains remembered, nothing more is kept track of. */
const MAX_UNDER_WAY = 60;
const MAX_CHAINS = 1_000;

class Pair {
  /** Sessions begun by either. */
  sessions = 0;
}

class Line {
  readonly underWay: UnderWay[] = [];
  readonly arrived: UnderWay[] = [];
  readonly chains = new Map<string, Chain>();
  heard = 0;

  constructor(
    readonly from: Party,
    readonly to: Party,
    readonly pair: Pair,
  ) {}

  /** Whether the receiver must still be able to open what belongs to this chain and session. */
  promises({ chain, sessions }: UnderWay): boolean {
    return (chain.heard === undefined ||
      this.heard - chain.heard <= MAX_RECEIVING_CHAINS) &&
      this.pair.sessions - sessions < MAX_ARCHIVED_STATES;
  }
}

/**
 * People who all write to each other, and what the protocol promises them: what arrives is what was sent, once,
 * unless it comes more than five chains or forty sessions late. Every happening checks itself.
 */
export class Schedule {
  readonly #lines: Line[] = [];
  readonly counts = { sent: 0, arrived: 0, lost: 0, refused: 0, renewed: 0 };

  constructor(people: readonly Party[]) {
    people.forEach((a, i) => {
      for (const b of people.slice(i + 1)) {
        const pair = new Pair();
        this.#lines.push(new Line(a, b, pair), new Line(b, a, pair));
      }
    });
  }

  async happen({ what, line: number, choice }: Happening): Promise<void> {
    const line = this.#lines[number % this.#lines.length];
    const { underWay, arrived } = line;
    switch (what) {
      case "send":
        if (underWay.length < MAX_UNDER_WAY) return await this.#send(line);
        return await this.#deliver(line, 0);
      case "renew":
        return await this.#renew(line);
      case "repeat":
        if (arrived.length === 0) return;
        return await this.#repeat(line, arrived[choice % arrived.length]);
    }
    if (underWay.length === 0) return;
    // Mostly in order, as it is in life.
    const at = choice % 4 < 3 ? 0 : choice % underWay.length;
    switch (what) {
      case "deliver":
        return await this.#deliver(line, at);
      case "alter":
        return await this.#alter(line, underWay[at].message, choice);
      case "lose":
        underWay.splice(at, 1);
        this.counts.lost++;
    }
  }

  /** A message that arrives at once, before what else is under way. */
  async say(number: number): Promise<CiphertextMessage> {
    const line = this.#lines[number];
    await this.#send(line);
    const { message } = line.underWay.at(-1)!;
    await this.#deliver(line, line.underWay.length - 1);
    return message;
  }

  /** Whatever has happened, all who ever spoke understand each other. */
  async end(): Promise<void> {
    for (const { from, to, pair } of this.#lines) {
      if (pair.sessions === 0) continue;
      // Who has never heard from the other has no session, and begins one.
      await say(from, to, "still there?").catch(async (error) => {
        if (!/no session|not found/.test(String(error))) throw error;
        await introduce(from, to);
        await say(from, to, "still there?");
      });
    }
  }

  async #renew({ from, to, pair }: Line): Promise<void> {
    await introduce(from, to, { oneTime: pair.sessions % 2 === 0 });
    pair.sessions++;
    this.counts.renewed++;
  }

  async #send(line: Line): Promise<void> {
    const { from, to, chains } = line;
    const text = `${this.counts.sent} ${"x".repeat(this.counts.sent % 200)}`;
    const message = await write(from, to.address, text).catch(async (error) => {
      if (!/no session|not found/.test(String(error))) throw error;
      await this.#renew(line);
      return await write(from, to.address, text);
    });
    const key = ratchetKeyOf(message);
    const chain = chains.get(key) ?? {};
    chains.set(key, chain);
    if (chains.size > MAX_CHAINS) chains.delete(chains.keys().next().value!);
    line.underWay.push({ message, text, chain, sessions: line.pair.sessions });
    this.counts.sent++;
  }

  async #deliver(line: Line, at: number): Promise<void> {
    const [sent] = line.underWay.splice(at, 1);
    const { from, to, pair } = line;
    const arrives = hear(to, from.address, sent.message);
    if (!line.promises(sent)) {
      // Of several sessions the chains are counted each by itself: then it may still be known.
      if (pair.sessions === 1) return await this.#refuses(arrives);
      const text = await arrives.catch(() => undefined);
      if (text === undefined) return;
      assert.equal(text, sent.text);
    } else {
      assert.equal(await arrives, sent.text);
    }
    sent.chain.heard ??= line.heard++;
    this.counts.arrived++;
    line.arrived.push(sent);
    if (line.arrived.length > MAX_UNDER_WAY) line.arrived.shift();
  }

  async #repeat(line: Line, sent: UnderWay): Promise<void> {
    const again = line.to.receive(line.from.address, sent.message);
    if (!line.promises(sent)) return await this.#refuses(again);
    await refuses(again, "duplicate");
    this.counts.refused++;
  }

  async #alter(
    { from, to }: Line,
    { type, bytes }: CiphertextMessage,
    choice: number,
  ): Promise<void> {
    const altered = Uint8Array.from(bytes);
    // Once its session is held, only the message inside a PreKey message counts.
    const inner = type === WHISPER
      ? altered
      : parsePreKeyMessage(altered).message;
    inner[(choice >> 3) % inner.length] ^= 1 << choice % 8;
    await this.#refuses(to.receive(from.address, { type, bytes: altered }));
  }

  async #refuses(promise: Promise<unknown>): Promise<void> {
    await refuses(promise);
    this.counts.refused++;
  }
}

function ratchetKeyOf({ type, bytes }: CiphertextMessage): string {
  const inner = type === WHISPER ? bytes : parsePreKeyMessage(bytes).message;
  return parseSignalMessage(inner).ratchetKey.toHex();
}
