/**
 * A handshake as bytes, for the vault: it resumes after a reload exactly where
 * it was. Protobuf; the state says which fields must be there.
 */
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  MalformedError,
  writeMessage,
} from "../keys/mod.ts";
import { CARD_KEY, ISK, KEM_SEED } from "./handshake_keys.ts";
import type {
  Handshake,
  HandshakeFailure,
  InviterHandshake,
  JoinerHandshake,
  RunSecrets,
} from "./handshake_state.ts";
import { isInviteSecret, MAX_NAMEPLATE } from "./invite_code.ts";

const VERSION = 1;
const TAG = {
  version: 1,
  role: 2,
  at: 3,
  relayKey: 4,
  nameplate: 5,
  expiresAt: 6,
  accountId: 7,
  secret: 8,
  scalar: 9,
  kemSeed: 10,
  card: 11,
  sent: 12,
  received: 13,
  isk: 14,
  peerCardKey: 15,
  peerCard: 16,
  reason: 17,
} as const;

/** Numbers on disk: append, never renumber. */
const STATES: readonly Handshake["at"][] = [
  "offered",
  "challenged",
  "answered",
  "returned",
  "joining",
  "invited",
  "proved",
  "confirmed",
  "met",
  "failed",
];
const REASONS: readonly HandshakeFailure[] = [
  "wrong",
  "expired",
  "own",
  "version",
  "misbehaved",
];

/** Holds the run's secrets: store it encrypted, wipe it after use. */
export function serializeHandshake(state: Handshake): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(TAG.version, VERSION);
    writer.writeVarintField(TAG.role, state.role === "inviter" ? 0 : 1);
    writer.writeVarintField(TAG.at, STATES.indexOf(state.at));
    writer.writeBytesField(TAG.relayKey, state.relayKey);
    writer.writeVarintField(TAG.nameplate, state.nameplate);
    writer.writeVarintField(TAG.expiresAt, state.expiresAt);
    writer.writeBytesField(TAG.accountId, accountIdToBytes(state.accountId));
    if ("run" in state) {
      writer.writeStringField(TAG.secret, state.run.secret);
      writer.writeBytesField(TAG.scalar, state.run.scalar);
      writer.writeBytesField(TAG.kemSeed, state.run.kemSeed);
      writer.writeBytesField(TAG.card, state.run.card);
    }
    if ("isk" in state) {
      writer.writeBytesField(TAG.isk, state.isk);
      writer.writeBytesField(TAG.kemSeed, state.kemSeed);
      writer.writeBytesField(TAG.card, state.card);
    }
    if ("sent" in state) {
      for (const bytes of state.sent) writer.writeBytesField(TAG.sent, bytes);
    }
    if ("received" in state) {
      for (const bytes of state.received) {
        writer.writeBytesField(TAG.received, bytes);
      }
    }
    if ("peerCardKey" in state) {
      writer.writeBytesField(TAG.peerCardKey, state.peerCardKey);
    }
    if ("peerCard" in state) {
      writer.writeBytesField(TAG.peerCard, state.peerCard);
    }
    if ("reason" in state) {
      writer.writeVarintField(TAG.reason, REASONS.indexOf(state.reason));
    }
  });
}

/** @throws {MalformedError} */
export function parseHandshake(bytes: Uint8Array): Handshake {
  const fields = new Fields(bytes);
  fields.uint(TAG.version, VERSION, VERSION);
  const common = {
    relayKey: fields.bytes(TAG.relayKey, 32),
    nameplate: fields.uint(TAG.nameplate, 0, MAX_NAMEPLATE),
    expiresAt: fields.uint(TAG.expiresAt, 0, Number.MAX_SAFE_INTEGER),
    accountId: accountIdFromBytes(fields.bytes(TAG.accountId, 16)),
  };
  const at = STATES[fields.uint(TAG.at, 0, STATES.length - 1)];
  return fields.uint(TAG.role, 0, 1) === 0
    ? { role: "inviter", ...common, ...parseInviter(at, fields) }
    : { role: "joiner", ...common, ...parseJoiner(at, fields) };
}

type Bare<State extends Handshake> = State extends Handshake ? Omit<
    State,
    "role" | "relayKey" | "nameplate" | "expiresAt" | "accountId"
  >
  : never;

function parseInviter(
  at: Handshake["at"],
  fields: Fields,
): Bare<InviterHandshake> {
  const run = () => parseRun(fields, KEM_SEED.inviter);
  const peerCardKey = () => fields.bytes(TAG.peerCardKey, CARD_KEY);
  switch (at) {
    case "offered":
      return { at, run: run(), sent: one(fields, TAG.sent) };
    case "challenged":
      return {
        at,
        run: run(),
        sent: one(fields, TAG.sent),
        received: one(fields, TAG.received),
      };
    case "answered":
      return {
        at,
        peerCardKey: peerCardKey(),
        sent: two(fields, TAG.sent),
        received: one(fields, TAG.received),
      };
    case "returned":
      return {
        at,
        peerCardKey: peerCardKey(),
        sent: two(fields, TAG.sent),
        received: two(fields, TAG.received),
      };
    default:
      return parseEnd(at, fields);
  }
}

function parseJoiner(
  at: Handshake["at"],
  fields: Fields,
): Bare<JoinerHandshake> {
  const run = () => parseRun(fields, KEM_SEED.joiner);
  const keys = () => ({
    isk: fields.bytes(TAG.isk, ISK),
    kemSeed: fields.bytes(TAG.kemSeed, KEM_SEED.joiner),
    card: fields.bytes(TAG.card),
    sent: one(fields, TAG.sent),
  });
  switch (at) {
    case "joining":
      return { at, run: run() };
    case "invited":
      return { at, run: run(), received: one(fields, TAG.received) };
    case "proved":
      return { at, ...keys(), received: one(fields, TAG.received) };
    case "confirmed":
      return { at, ...keys(), received: two(fields, TAG.received) };
    default:
      return parseEnd(at, fields);
  }
}

function parseEnd(
  at: Handshake["at"],
  fields: Fields,
): Extract<Bare<InviterHandshake>, { at: "met" | "failed" }> {
  switch (at) {
    case "met":
      return {
        at,
        sent: two(fields, TAG.sent),
        peerCard: fields.bytes(TAG.peerCard),
      };
    case "failed":
      return {
        at,
        reason: REASONS[fields.uint(TAG.reason, 0, REASONS.length - 1)],
      };
    default:
      throw new MalformedError("state of the other role");
  }
}

function parseRun(fields: Fields, kemSeed: number): RunSecrets {
  const secret = fields.text(TAG.secret);
  if (!isInviteSecret(secret)) throw new MalformedError("secret");
  return {
    secret,
    scalar: fields.bytes(TAG.scalar, 32),
    kemSeed: fields.bytes(TAG.kemSeed, kemSeed),
    card: fields.bytes(TAG.card),
  };
}

function one(fields: Fields, tag: number): [Uint8Array] {
  return [fields.bytes(tag)];
}

function two(fields: Fields, tag: number): [Uint8Array, Uint8Array] {
  const [first, second] = fields.repeated(tag, 2);
  if (second === undefined) throw new MalformedError(`field ${tag}`);
  return [first, second];
}
