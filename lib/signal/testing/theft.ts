import assert from "node:assert/strict";
import { parsePreKeyMessage, parseSignalMessage } from "../messages.ts";
import { type CiphertextMessage, WHISPER } from "../mod.ts";
import { epochOf, receive, type SpqrState } from "../spqr/mod.ts";
import type { OurParty } from "./our_party.ts";
import type { Party } from "./party.ts";
import { hear, say, write } from "./text.ts";
import { Thief } from "./thief.ts";

/** Who could read one message to a person whose session was stolen before. */
export interface Listened {
  /** Whether the victim had not written anything since the theft. */
  readonly atOnce: boolean;
  /** Epoch of the SPQR secret in its keys: 0 is of the handshake. */
  readonly epoch: number;
  readonly thief: boolean;
  /** The same, told what SPQR contributes to the message. */
  readonly thiefToldPqKey: boolean;
  readonly quantumThief: boolean;
  readonly quantumThiefToldPqKey: boolean;
}

export interface Theft {
  readonly messages: readonly Listened[];
  /** The last epoch whose secret, or the victim's part of it, lay in the stolen state. */
  readonly lastStolenEpoch: number;
}

/**
 * The two write in turn, `before` rounds; then a thief and one with a quantum computer copy the victim's session,
 * and listen to two messages more at once and to `after` rounds.
 */
export async function steal(
  victim: OurParty,
  peer: Party,
  before: number,
  after: number,
): Promise<Theft> {
  const session = () => victim.session(peer.address)!.current;
  for (let i = 0; i < before; i++) {
    await say(victim, peer, "ping");
    await say(peer, victim, "pong");
  }
  const stolen = session();
  const identity = victim.local.identity.publicKey;
  // The quantum computer: every X25519 private key the victim makes is known. The peer's add nothing, because
  // Diffie-Hellman needs one side.
  const broken = new Map<string, Uint8Array>();
  const thief = new Thief(stolen, identity, () => undefined);
  const quantumThief = new Thief(
    stolen,
    identity,
    (publicKey) => broken.get(publicKey.toHex()),
  );
  const messages: Listened[] = [];
  const listen = async (atOnce: boolean) => {
    const message = await write(peer, victim.address, TEXT);
    const bytes = inner(message);
    const { pqRatchet } = parseSignalMessage(bytes);
    const { key } = receive(session().spqr, pqRatchet);
    assert.equal(await hear(victim, peer.address, message), TEXT);
    messages.push({
      atOnce,
      epoch: epochOf(pqRatchet) - 1,
      thiefToldPqKey: await thief.reads(bytes, key) === TEXT,
      thief: await thief.reads(bytes) === TEXT,
      quantumThiefToldPqKey: await quantumThief.reads(bytes, key) === TEXT,
      quantumThief: await quantumThief.reads(bytes) === TEXT,
    });
  };
  await listen(true);
  await listen(true);
  for (let i = 0; i < after; i++) {
    const message = await write(victim, peer.address, "anything");
    const { sending } = session().ratchet;
    assert(sending.kind === "ready");
    const { publicKey, privateKey } = sending.ratchetKeyPair;
    broken.set(publicKey.toHex(), privateKey);
    await thief.overhears(inner(message));
    await quantumThief.overhears(inner(message));
    assert.equal(await hear(peer, victim.address, message), "anything");
    await listen(false);
  }
  return { messages, lastStolenEpoch: lastEpochIn(stolen.spqr) };
}

const TEXT = "a secret";

function inner({ type, bytes }: CiphertextMessage): Uint8Array {
  return type === WHISPER ? bytes : parsePreKeyMessage(bytes).message;
}

/** A side holds what makes the current epoch's secret from when it has drawn its part of it. */
function lastEpochIn({ stage }: SpqrState): number {
  const notDrawn = stage.kind === "KeysUnsampled" ||
    stage.kind === "NoHeaderReceived" || stage.kind === "HeaderReceived";
  return notDrawn ? stage.epoch - 1 : stage.epoch;
}

/** What three thefts are to show: how soon each ratchet shuts the thief out, and that it is by itself. */
export function judge({ messages, lastStolenEpoch }: Theft): void {
  for (const message of messages) {
    const { atOnce, epoch } = message;
    // The Double Ratchet heals with the victim's next message and the answer to it, whatever else is known.
    assert.equal(message.thief, atOnce, "the thief");
    assert.equal(message.thiefToldPqKey, atOnce, "the thief, told the key");
    // With X25519 broken it protects nothing any more…
    assert(message.quantumThiefToldPqKey, "without SPQR he would read");
    // … and SPQR shuts out from the first epoch on that was begun after the theft.
    const stolen = epoch <= lastStolenEpoch;
    assert.equal(message.quantumThief, stolen, `epoch ${epoch}`);
  }
  assert(messages.at(-1)!.epoch > lastStolenEpoch, "an epoch has gone by");
  assert(messages[0].quantumThief && messages[0].thief);
}
