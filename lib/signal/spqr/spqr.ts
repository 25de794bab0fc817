import {
  addEpoch,
  type Chain,
  MAX_JUMP,
  nextSendKey,
  receiveKey,
  type Role,
  startChain,
} from "./chain.ts";
import {
  type Random,
  receiveStep,
  sendStep,
  startStage,
} from "./key_exchange.ts";
import { decodeMessage, encodeMessage } from "./message.ts";
import type { Stage } from "./stage.ts";

export type { Random };

/**
 * One side of the ratchet. Immutable: `send` and `receive` return a new state
 * and leave the one they were given valid, until it is given to `erase`.
 */
export type SpqrState = {
  readonly chain: Chain;
  readonly stage: Stage;
};

/**
 * The state of a new session.
 * @param secret 32 bytes, the third part of what PQXDH yields
 * @param role "A2B" for who initiated the session, "B2A" for the other
 */
export function initialState(secret: Uint8Array, role: Role): SpqrState {
  return {
    chain: startChain(secret, role),
    stage: startStage(secret, role),
  };
}

/**
 * What the next message carries of the ratchet.
 * @param random cryptographically secure; each result is fresh memory that becomes the ratchet's
 * @returns `message`: field 5 of the Signal message; `key`: 32 bytes, the salt of its keys
 */
export function send(
  state: SpqrState,
  random: Random,
): { state: SpqrState; message: Uint8Array; key: Uint8Array } {
  const { stage, payload, secret } = sendStep(state.stage, random);
  const opened = withSecret(state.chain, stage.epoch, secret);
  const { chain, index, key } = nextSendKey(opened, stage.epoch - 1);
  const message = encodeMessage({ epoch: stage.epoch, index, payload });
  return { state: { chain, stage }, message, key };
}

/**
 * Takes in what a message carried of the ratchet.
 * @param message field 5 of the Signal message; empty when it has none
 * @param maxJump how far ahead the message may lie: the steps it may cost
 * @returns `key`: 32 bytes, the salt of the message's keys
 * @throws SpqrError; `state` stays valid, as if the message had not come
 */
export function receive(
  state: SpqrState,
  message: Uint8Array,
  maxJump: number = MAX_JUMP,
): { state: SpqrState; key: Uint8Array } {
  const { epoch, index, payload } = decodeMessage(message);
  // The key first: a repeated message is refused before any expensive step.
  const { chain, key } = receiveKey(state.chain, epoch - 1, index, maxJump);
  const { stage, secret } = receiveStep(state.stage, epoch, payload);
  return {
    state: { chain: withSecret(chain, state.stage.epoch, secret), stage },
    key,
  };
}

/**
 * The epoch of the key exchange a message belongs to, from 1. It grows by one
 * with each fresh ML-KEM secret.
 * @throws SpqrError
 */
export function epochOf(message: Uint8Array): number {
  return decodeMessage(message).epoch;
}

/**
 * Overwrites the secrets that `superseded` holds and `current` does not. Call
 * it once `current` is stored and nobody will go back: `superseded` must not
 * be used again.
 */
export function erase(superseded: SpqrState, current?: SpqrState): void {
  const kept = new Set(current ? secretsOf(current) : []);
  for (const secret of secretsOf(superseded)) {
    if (!kept.has(secret)) secret.fill(0);
  }
}

function withSecret(
  chain: Chain,
  epoch: number,
  secret: Uint8Array | undefined,
): Chain {
  if (secret === undefined) return chain;
  const opened = addEpoch(chain, epoch, secret);
  secret.fill(0);
  return opened;
}

function* secretsOf({ chain, stage }: SpqrState): Generator<Uint8Array> {
  yield chain.root;
  for (const { send, receive } of chain.links) {
    if (send.next !== undefined) yield send.next;
    yield receive.next;
    for (const { key } of receive.skipped) yield key;
  }
  yield stage.authenticator.root;
  yield stage.authenticator.mac;
  if ("secretKey" in stage) yield stage.secretKey;
  if ("m" in stage) yield stage.m;
}
