import {
  type CiphertextMessage,
  closeIfLost,
  createPreKeyStock,
  decrypt,
  decryptionErrorOf,
  describeSession,
  encodeDecryptionError,
  encodePlaintextContent,
  encrypt,
  giveBundle,
  initiateSession,
  keepUpPreKeyStock,
  parseDecryptionError,
  parsePlaintextContent,
  parsePreKeyStock,
  parseSession,
  PREKEY,
  serializePreKeyStock,
  serializeSession,
  SignalError,
  verify,
  WHISPER,
} from "../mod.ts";
import { parsePreKeyMessage, parseSignalMessage } from "../messages.ts";
import {
  parse as parseSpqr,
  receive,
  send,
  serialize as serializeSpqr,
  SpqrError,
} from "../spqr/mod.ts";
import { decodeMessage } from "../spqr/message.ts";
import { OurParty } from "./our_party.ts";
import { introduce } from "./party.ts";
import { write } from "./text.ts";

/** Something that reads bytes it must not trust. */
export interface FuzzTarget {
  /** Valid inputs to begin from. */
  readonly corpus: readonly Uint8Array[];
  /** Throws `refusal`, and nothing else. */
  read(bytes: Uint8Array): unknown;
  readonly refusal: typeof SignalError | typeof SpqrError;
  /** Bytes that it may ask for, besides, whatever the input's length: where chains are walked before it is judged. */
  readonly walks?: number;
  /** How many inputs are worth trying beside one of a parser. */
  readonly share: number;
}

/** Two people in the middle of a conversation, and what they wrote and keep on the way. */
async function conversation() {
  const [alice, bob] = [await OurParty.create(), await OurParty.create()];
  const preKeyMessages: Uint8Array[] = [];
  const messages: Uint8Array[] = [];
  const sessions: Uint8Array[] = [];
  const note = ({ type, bytes }: CiphertextMessage) =>
    (type === PREKEY ? preKeyMessages : messages).push(bytes);
  for (let session = 0; session < 3; session++) {
    await introduce(alice, bob, { oneTime: session > 0 });
    for (let turn = 0; turn < 60; turn++) {
      for (const [from, to] of [[alice, bob], [bob, alice]]) {
        note(await write(from, to.address, "lost"));
        const message = await write(from, to.address, `turn ${turn}`);
        note(message);
        await to.receive(from.address, message);
        if (turn % 10 === 0) {
          sessions.push(serializeSession(to.session(from.address)!));
        }
      }
    }
  }
  return { alice, bob, preKeyMessages, messages, sessions };
}

/** A hundred steps of a chain, a kilobyte of hashing each. */
const WALK = 100_000;

/** In each of the three states of a session, of both ratchets. */
const WALKS = 6 * WALK;

async function isSigned(...signed: Parameters<typeof verify>): Promise<void> {
  if (!await verify(...signed)) throw new SignalError("invalid-signature");
}

const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));

export async function fuzzTargets(): Promise<Record<string, FuzzTarget>> {
  const { alice, bob, ...kept } = await conversation();
  const { preKeyMessages, messages, sessions } = kept;
  const { local, preKeys } = bob;
  const remote = alice.address;
  const session = bob.session(remote)!;
  const errors = messages.slice(0, 20).map((bytes, deviceId) =>
    decryptionErrorOf({ type: WHISPER, bytes }, { timestamp: 1e12, deviceId })
  );
  const bundle = await bob.publish({ oneTime: true });
  const stock = giveBundle(await createPreKeyStock(local.identity, 1), local)!
    .stock;
  const parser = { refusal: SignalError, share: 1 };
  const spqrParser = { refusal: SpqrError, share: 1 };
  return {
    "messages": { ...parser, corpus: messages, read: parseSignalMessage },
    "PreKey messages": {
      ...parser,
      corpus: preKeyMessages,
      read: parsePreKeyMessage,
    },
    "decryption errors": {
      ...parser,
      corpus: errors.map(encodeDecryptionError),
      read: (bytes) => closeIfLost(session, parseDecryptionError(bytes), 1),
    },
    "plaintext content": {
      ...parser,
      corpus: errors.map(encodePlaintextContent),
      read: (bytes) => closeIfLost(session, parsePlaintextContent(bytes), 1),
    },
    "SPQR messages": {
      ...spqrParser,
      corpus: messages.map((bytes) => parseSignalMessage(bytes).pqRatchet),
      read: decodeMessage,
    },
    "SPQR states": {
      ...spqrParser,
      walks: WALK,
      share: 0.1,
      corpus: sessions.map((bytes) =>
        serializeSpqr(parseSession(bytes).current.spqr)
      ),
      // What is accepted can be used and stored again.
      read(bytes) {
        const state = parseSpqr(bytes);
        const sent = send(state, random);
        serializeSpqr(receive(sent.state, sent.message, 100).state);
      },
    },
    "stored sessions": {
      ...parser,
      share: 0.1,
      corpus: sessions,
      // What is accepted can be used and stored again, or is refused then.
      async read(bytes) {
        const session = parseSession(bytes);
        describeSession(session);
        parseSession(serializeSession(session));
        await encrypt({
          local,
          remote,
          session,
          plaintext: new Uint8Array(3),
          now: 0,
        });
        await decrypt({
          local,
          remote,
          session,
          preKeys,
          message: { type: WHISPER, bytes: messages.at(-1)! },
          maxForwardJumps: 1_000,
        });
      },
    },
    "stored prekeys": {
      ...parser,
      share: 0.1,
      corpus: [serializePreKeyStock(stock)],
      // What is accepted can be used and stored again.
      async read(bytes) {
        const read = parsePreKeyStock(bytes);
        const times = { now: 0, caughtUp: 0 };
        const kept = await keepUpPreKeyStock(read, local.identity, times);
        parsePreKeyStock(serializePreKeyStock(kept));
      },
    },
    "messages to a held session": {
      ...parser,
      walks: WALKS,
      share: 0.03,
      corpus: messages,
      read: (bytes) =>
        decrypt({
          local,
          remote,
          session,
          preKeys,
          message: { type: WHISPER, bytes },
          maxForwardJumps: 100,
        }),
    },
    "PreKey messages to a device": {
      ...parser,
      walks: WALKS,
      share: 0.01,
      corpus: preKeyMessages,
      read: (bytes) =>
        decrypt({
          local,
          remote,
          session,
          preKeys,
          message: { type: PREKEY, bytes },
          maxForwardJumps: 100,
        }),
    },
    "signatures": {
      ...parser,
      share: 0.03,
      corpus: [bundle.signedPreKey.signature, bundle.kyberPreKey.signature],
      read: (signature) =>
        isSigned(bundle.identityKey, bundle.signedPreKey.publicKey, signature),
    },
    "identity keys": {
      ...parser,
      share: 0.03,
      corpus: [bundle.identityKey, bundle.signedPreKey.publicKey],
      read: (publicKey) =>
        isSigned(
          publicKey,
          bundle.signedPreKey.publicKey,
          bundle.signedPreKey.signature,
        ),
    },
    "bundles": {
      ...parser,
      share: 0.01,
      corpus: [
        bundle.identityKey,
        bundle.signedPreKey.publicKey,
        bundle.kyberPreKey.publicKey,
        bundle.preKey!.publicKey,
      ],
      read: (publicKey) =>
        initiateSession({
          local,
          remote: bob.address,
          now: 0,
          bundle: { ...bundle, preKey: { id: 1, publicKey } },
        }),
    },
  };
}
