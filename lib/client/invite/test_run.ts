/** Runs of the handshake for tests: two sides, and every message that passed between them. */
import assert from "node:assert/strict";
import { calculateGenerator, publicShare } from "./cpace.ts";
import { advance, isPinned, receive, type Step } from "./handshake.ts";
import { startInviter, startJoiner } from "./handshake_start.ts";
import { parseHandshake, serializeHandshake } from "./handshake_codec.ts";
import { channelOf, encodeOpening, readOpening } from "./handshake_keys.ts";
import type {
  Handshake,
  InviterHandshake,
  Message,
} from "./handshake_state.ts";
import type { InviteCode } from "./invite_code.ts";
import { newPerson, RELAY } from "./test_people.ts";

export const NOW = 1_790_000_000_000;
export const EXPIRES = NOW + 300_000;
export const NAMEPLATE = 0xabcde;

export const alice = await newPerson("Alice");
export const bob = await newPerson("Bob");
export const mallory = await newPerson("Mallory");

export function offer(
  options: {
    nameplate?: number;
    relayKey?: Uint8Array;
    card?: typeof alice.card;
  } = {},
) {
  return startInviter({
    relayKey: options.relayKey ?? RELAY.key,
    nameplate: options.nameplate ?? NAMEPLATE,
    expiresAt: EXPIRES,
    card: options.card ?? alice.card,
  });
}

export function join(
  code: InviteCode,
  options: { relayKey?: Uint8Array; card?: typeof bob.card } = {},
) {
  return startJoiner({
    relayKey: options.relayKey ?? RELAY.key,
    code,
    expiresAt: EXPIRES,
    card: options.card ?? bob.card,
    known: [],
    now: NOW,
  }).state;
}

/** Another code than `code`, at the same nameplate. */
export function wrongCode(code: InviteCode): InviteCode {
  const first = code.secret[0] === "0" ? "1" : "0";
  return { ...code, secret: first + code.secret.slice(1) };
}

/** Receives and looks at a message, as a client does; the last step, and both states on the way. */
export async function take(
  state: Handshake,
  message: Message,
  now = NOW,
): Promise<Step> {
  const step = receive(state, message, now);
  return isPinned(step.state) ? await advance(step.state) : step;
}

/** The same, stored and read back between any two steps. */
export async function takeReloading(
  state: Handshake,
  message: Message,
): Promise<Step> {
  const reload = (state: Handshake) =>
    parseHandshake(serializeHandshake(state));
  const pinned = receive(reload(state), message, NOW).state;
  const step = isPinned(pinned)
    ? await advance(reload(pinned))
    : { state: pinned };
  return { ...step, state: reload(step.state) };
}

export function sent(step: Step): Message {
  assert.ok(step.send, "the step sends something");
  return step.send;
}

/** Every state and message of an honest run. */
export interface HonestRun {
  readonly code: InviteCode;
  readonly offered: Handshake;
  readonly joining: Handshake;
  readonly opening: Message;
  readonly proved: Handshake;
  readonly proof: Message;
  readonly answered: Handshake;
  readonly answer: Message;
  readonly joinerMet: Step;
  readonly returned: Message;
  readonly inviterMet: Step;
}

export async function honestRun(): Promise<HonestRun> {
  const { state: offered, send: opening, code } = offer();
  const joining = join(code);
  const proved = await take(joining, opening);
  const answered = await take(offered, sent(proved));
  const joinerMet = await take(proved.state, sent(answered));
  const inviterMet = await take(answered.state, sent(joinerMet));
  return {
    code,
    offered,
    joining,
    opening,
    proved: proved.state,
    proof: sent(proved),
    answered: answered.state,
    answer: sent(answered),
    joinerMet,
    returned: sent(joinerMet),
    inviterMet,
  };
}

/** An offer whose secret is chosen: what a guesser, or an unlikely repetition, makes. */
export function offerWithSecret(secret: string, card = alice.card) {
  const { state, send } = offer({ card });
  assert.equal(state.at, "offered");
  if (state.at !== "offered") throw new Error("unreachable");
  const opening = readOpening(send.bytes);
  const generator = calculateGenerator(
    new TextEncoder().encode(secret),
    channelOf(state.relayKey, state.nameplate),
    opening.sessionId,
  );
  const bytes = encodeOpening({
    ...opening,
    share: publicShare(generator, state.run.scalar),
  });
  const chosen: InviterHandshake = {
    ...state,
    run: { ...state.run, secret },
    sent: [bytes],
  };
  return { state: chosen, send: { index: 0, bytes } };
}

/** `bytes` with one bit of one byte turned. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const changed = bytes.slice();
  changed[at] ^= 1 << bit;
  return changed;
}

export function reasonOf(state: Handshake): string {
  return state.at === "failed" ? state.reason : `not failed: ${state.at}`;
}
