/**
 * The symmetric half of SPQR: from each epoch's secret, one chain of message
 * keys per direction. Pure: every function returns a new chain that shares
 * what did not change with the old one, and the old one stays valid.
 */
import { cut, derive, label } from "./kdf.ts";
import { SpqrError } from "./error.ts";

/** Who started the session: the initiator is A. The two sides use the halves of a secret the other way round. */
export type Role = "A2B" | "B2A";

export type SkippedKey = { readonly index: number; readonly key: Uint8Array };

export type SendingChain = {
  /** Absent once a newer epoch is in use: nothing more can be sent in this one. */
  readonly next?: Uint8Array;
  /** Index of the last key given; the first is 1. */
  readonly counter: number;
};

export type ReceivingChain = {
  readonly next: Uint8Array;
  readonly counter: number;
  /** Keys of messages that have not arrived, ascending by index. */
  readonly skipped: readonly SkippedKey[];
};

export type Link = {
  readonly send: SendingChain;
  readonly receive: ReceivingChain;
};

export type Chain = {
  readonly role: Role;
  readonly root: Uint8Array;
  /** Epoch of `links[0]`; the others follow one by one. */
  readonly firstEpoch: number;
  readonly links: readonly Link[];
  /** The newest epoch we have sent in; never falls. */
  readonly sendEpoch: number;
};

/** A message may lie this far ahead of the newest one received in its epoch: bounds the work one message can cause. */
export const MAX_JUMP = 25_000;
/** A key is kept for a late message as long as fewer than this many later ones have been used. */
export const MAX_SKIPPED = 2_000;
/** Epochs kept before the one we send in, for messages still under way. */
const EPOCHS_KEPT = 1;

const START = label("Signal PQ Ratchet V1 Chain  Start");
const ADD_EPOCH = label("Signal PQ Ratchet V1 Chain Add Epoch");
const NEXT = label("Signal PQ Ratchet V1 Chain Next");

/** The chain at epoch 0, from the 32-byte secret that the handshake yields. */
export function startChain(secret: Uint8Array, role: Role): Chain {
  const { root, link } = expand(derive(secret, START, 96), role);
  return { role, root, firstEpoch: 0, links: [link], sendEpoch: 0 };
}

/** Opens the next epoch; `epoch` must be the newest one plus 1. */
export function addEpoch(
  chain: Chain,
  epoch: number,
  secret: Uint8Array,
): Chain {
  if (epoch !== chain.firstEpoch + chain.links.length) {
    throw new SpqrError("unknown-epoch", "this epoch does not follow the last");
  }
  const material = derive(secret, ADD_EPOCH, 96, chain.root);
  const { root, link } = expand(material, chain.role);
  return { ...chain, root, links: [...chain.links, link] };
}

/** The key and index for the next message we send, in `epoch`. */
export function nextSendKey(
  chain: Chain,
  epoch: number,
): { chain: Chain; index: number; key: Uint8Array } {
  if (epoch < chain.sendEpoch) {
    throw new SpqrError("unknown-epoch", "cannot send in an epoch left behind");
  }
  const current = epoch > chain.sendEpoch ? leaveBehind(chain, epoch) : chain;
  const { position, link } = linkOf(current, epoch);
  const { next, counter } = link.send;
  if (next === undefined || counter === 0xffffffff) {
    throw new SpqrError("unknown-epoch", "no key is left in this epoch");
  }
  const index = counter + 1;
  const step = advance(next, index);
  const send = { next: step.next, counter: index };
  return {
    chain: replaceLink(current, position, { ...link, send }),
    index,
    key: step.key,
  };
}

/**
 * The key of the peer's message `index` in `epoch`; each is given once.
 * @param maxJump how far the message may lie ahead: the steps it may cost
 */
export function receiveKey(
  chain: Chain,
  epoch: number,
  index: number,
  maxJump: number = MAX_JUMP,
): { chain: Chain; key: Uint8Array } {
  const { position, link } = linkOf(chain, epoch);
  const { receive, key } = index > link.receive.counter
    ? jumpTo(link.receive, index, maxJump)
    : takeSkipped(link.receive, index);
  return { chain: replaceLink(chain, position, { ...link, receive }), key };
}

function jumpTo(
  from: ReceivingChain,
  index: number,
  maxJump: number,
): { receive: ReceivingChain; key: Uint8Array } {
  if (index - from.counter > maxJump) {
    throw new SpqrError("too-far-ahead", "too many messages are missing");
  }
  const oldest = index - MAX_SKIPPED;
  const kept = from.skipped.findIndex((key) => key.index >= oldest);
  let skipped = from.skipped;
  if (kept !== 0 && skipped.length > 0) {
    skipped = kept < 0 ? [] : skipped.slice(kept);
  }
  let step = advance(from.next, from.counter + 1);
  const missed: SkippedKey[] = [];
  for (let at = from.counter + 1; at < index; at++) {
    if (at >= oldest) missed.push({ index: at, key: step.key });
    else step.key.fill(0);
    const following = advance(step.next, at + 1);
    step.next.fill(0);
    step = following;
  }
  if (missed.length > 0) skipped = [...skipped, ...missed];
  return {
    receive: { next: step.next, counter: index, skipped },
    key: step.key,
  };
}

function takeSkipped(
  from: ReceivingChain,
  index: number,
): { receive: ReceivingChain; key: Uint8Array } {
  if (index < from.counter - MAX_SKIPPED) {
    throw new SpqrError("expired", "this message is too old");
  }
  const position = from.skipped.findIndex((key) => key.index === index);
  if (position < 0) {
    throw new SpqrError("duplicate", "this message was received before");
  }
  const skipped = from.skipped.toSpliced(position, 1);
  // A copy, so that the one in the superseded state can be erased without harming the caller's.
  const key = from.skipped[position].key.slice();
  return { receive: { ...from, skipped }, key };
}

/** Starts to send in `epoch`: older epochs lose their sending half, the oldest go altogether. */
function leaveBehind(chain: Chain, epoch: number): Chain {
  const { position } = linkOf(chain, epoch);
  const dropped = Math.max(0, position - EPOCHS_KEPT);
  const links = chain.links.slice(dropped).map((link, at) =>
    at < position - dropped
      ? { ...link, send: { counter: link.send.counter } }
      : link
  );
  const firstEpoch = chain.firstEpoch + dropped;
  return { ...chain, firstEpoch, links, sendEpoch: epoch };
}

function linkOf(chain: Chain, epoch: number): { position: number; link: Link } {
  const position = epoch - chain.firstEpoch;
  if (position < 0) {
    throw new SpqrError("expired", "this message's epoch is over");
  }
  const link = chain.links[position];
  if (link === undefined) {
    throw new SpqrError("unknown-epoch", "this epoch has not begun");
  }
  return { position, link };
}

function replaceLink(chain: Chain, position: number, link: Link): Chain {
  return { ...chain, links: chain.links.with(position, link) };
}

const nextInfo = new Uint8Array(4 + NEXT.length);
nextInfo.set(NEXT, 4);
const nextInfoView = new DataView(nextInfo.buffer);

function advance(
  from: Uint8Array,
  index: number,
): { next: Uint8Array; key: Uint8Array } {
  nextInfoView.setUint32(0, index);
  const [next, key] = cut(derive(from, nextInfo, 64));
  return { next, key };
}

function expand(
  material: Uint8Array,
  role: Role,
): { root: Uint8Array; link: Link } {
  const [root, fromA, fromB] = cut(material);
  const [send, receive] = role === "A2B" ? [fromA, fromB] : [fromB, fromA];
  const link = {
    send: { next: send, counter: 0 },
    receive: { next: receive, counter: 0, skipped: [] },
  };
  return { root, link };
}
