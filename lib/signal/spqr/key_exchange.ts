/**
 * The state machine of SPQR: what each stage sends, and what it makes of what
 * it receives. A step yields a new stage and, once per epoch on either side,
 * that epoch's secret. The stage passed in stays valid.
 */
import {
  ciphertextMac,
  headerMac,
  MAC_LENGTH,
  startAuthenticator,
  updateAuthenticator,
} from "./authenticator.ts";
import type { Role } from "./chain.ts";
import {
  addChunk,
  type Chunk,
  chunkAt,
  joinChunks,
  MAX_CHUNK_INDEX,
} from "./erasure_code.ts";
import { SpqrError } from "./error.ts";
import { derive, label, withEpoch } from "./kdf.ts";
import {
  CT1_LENGTH,
  CT2_LENGTH,
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  expandSecretKey,
  generateSecretKey,
  HEADER_LENGTH,
  headerOf,
  MESSAGE_LENGTH,
  sameBytes,
  SEED_LENGTH,
  VECTOR_LENGTH,
  vectorOf,
} from "./kem.ts";
import type { Payload } from "./message.ts";
import type { Stage, StageOf } from "./stage.ts";

/** A cryptographically secure source of `length` random bytes. */
export type Random = (length: number) => Uint8Array;

/** The secret (32 bytes) of the epoch that was current before the step. */
type Secret = Uint8Array;
type SendStep = { stage: Stage; payload: Payload; secret?: Secret };
type ReceiveStep = { stage: Stage; secret?: Secret };

const EPOCH_SECRET = label("Signal_PQCKA_V1_MLKEM768:SCKA Key");

/** Epoch 1, from the 32-byte secret that the handshake yields: the initiator sends the first key. */
export function startStage(secret: Uint8Array, role: Role): Stage {
  const common = { epoch: 1, authenticator: startAuthenticator(secret) };
  return role === "A2B"
    ? { ...common, kind: "KeysUnsampled" }
    : { ...common, kind: "NoHeaderReceived", receivedHeader: [] };
}

/** What to send with the next message. */
export function sendStep(stage: Stage, random: Random): SendStep {
  switch (stage.kind) {
    case "NoHeaderReceived":
    case "Ct1Acknowledged":
      return { stage, payload: { type: "None" } };
    case "EkSentCt1Received":
      return { stage, payload: { type: "Ct1Ack" } };
    case "KeysUnsampled":
      return sendStep(sampleKeys(stage, random), random);
    case "HeaderReceived": {
      const { sampled, secret } = sampleCt1(stage, random);
      return { ...sendStep(sampled, random), secret };
    }
    case "KeysSampled":
      return sendChunk(stage, "Hdr", stage.header);
    case "HeaderSent":
      return sendChunk(stage, "Ek", stage.vector);
    case "Ct1Received":
      return sendChunk(stage, "EkCt1Ack", stage.vector);
    case "Ct1Sampled":
    case "EkReceivedCt1Sampled":
      return sendChunk(stage, "Ct1", stage.ct1);
    case "Ct2Sampled":
      return sendChunk(stage, "Ct2", stage.ct2);
  }
}

/**
 * What a message of `epoch` does to the stage. Payloads that do not belong to
 * the stage are late or early and change nothing.
 * @throws SpqrError "unknown-epoch" | "invalid-mac" | "invalid-key"
 */
export function receiveStep(
  stage: Stage,
  epoch: number,
  payload: Payload,
): ReceiveStep {
  if (epoch < stage.epoch) return { stage };
  if (epoch > stage.epoch) {
    if (stage.kind === "Ct2Sampled" && epoch === stage.epoch + 1) {
      const { authenticator } = stage;
      return { stage: { kind: "KeysUnsampled", epoch, authenticator } };
    }
    throw new SpqrError("unknown-epoch", "the message is of a later epoch");
  }
  switch (stage.kind) {
    case "KeysUnsampled":
    case "HeaderReceived":
    case "Ct2Sampled":
      return { stage };
    case "KeysSampled":
      return payload.type === "Ct1"
        ? { stage: receiveCt1(headerSent(stage), payload.chunk) }
        : { stage };
    case "HeaderSent":
      return payload.type === "Ct1"
        ? { stage: receiveCt1(stage, payload.chunk) }
        : { stage };
    case "Ct1Received":
      return payload.type === "Ct2"
        ? receiveCt2(ekSent(stage), payload.chunk)
        : { stage };
    case "EkSentCt1Received":
      return payload.type === "Ct2"
        ? receiveCt2(stage, payload.chunk)
        : { stage };
    case "NoHeaderReceived":
      return payload.type === "Hdr"
        ? { stage: receiveHeader(stage, payload.chunk) }
        : { stage };
    case "Ct1Sampled":
    case "Ct1Acknowledged":
      return { stage: receiveEk(stage, payload) };
    case "EkReceivedCt1Sampled":
      return { stage: acknowledgesCt1(payload) ? ct2Sampled(stage) : stage };
  }
}

/** The stages that have something left to send, one chunk per message. */
type Sending = Extract<Stage, { nextChunk: number }>;

function sendChunk(
  stage: Sending,
  type: Extract<Payload, { chunk: Chunk }>["type"],
  value: Uint8Array,
): SendStep {
  const chunk = chunkAt(value, stage.nextChunk);
  // Whoever has sent all there are begins again: the peer keeps what it has.
  const nextChunk = (stage.nextChunk + 1) % (MAX_CHUNK_INDEX + 1);
  return { stage: { ...stage, nextChunk }, payload: { type, chunk } };
}

function sampleKeys(
  { epoch, authenticator }: StageOf<"KeysUnsampled">,
  random: Random,
): StageOf<"KeysSampled"> {
  const seed = random(SEED_LENGTH);
  const secretKey = generateSecretKey(seed);
  const header = new Uint8Array(HEADER_LENGTH + MAC_LENGTH);
  header.set(headerOf(secretKey));
  const mac = headerMac(authenticator, epoch, headerOf(secretKey));
  header.set(mac, HEADER_LENGTH);
  const vector = vectorOf(secretKey).slice();
  secretKey.fill(0);
  return {
    kind: "KeysSampled",
    epoch,
    authenticator,
    secretKey: seed,
    header,
    vector,
    nextChunk: 0,
  };
}

/** The first chunk of ct1 tells that the header has arrived. */
function headerSent(
  { epoch, authenticator, secretKey, vector }: StageOf<"KeysSampled">,
): StageOf<"HeaderSent"> {
  return {
    kind: "HeaderSent",
    epoch,
    authenticator,
    secretKey,
    vector,
    nextChunk: 0,
    receivedCt1: [],
  };
}

function receiveCt1(stage: StageOf<"HeaderSent">, chunk: Chunk): Stage {
  const { epoch, authenticator, secretKey, vector, nextChunk } = stage;
  const receivedCt1 = addChunk(stage.receivedCt1, chunk);
  const ct1 = joinChunks(receivedCt1, CT1_LENGTH);
  if (ct1 === undefined) return { ...stage, receivedCt1 };
  return {
    kind: "Ct1Received",
    epoch,
    authenticator,
    secretKey,
    vector,
    nextChunk,
    ct1,
  };
}

/** The first chunk of ct2 tells that the key has arrived. */
function ekSent(
  { epoch, authenticator, secretKey, ct1 }: StageOf<"Ct1Received">,
): StageOf<"EkSentCt1Received"> {
  return {
    kind: "EkSentCt1Received",
    epoch,
    authenticator,
    secretKey,
    ct1,
    receivedCt2: [],
  };
}

function receiveCt2(
  stage: StageOf<"EkSentCt1Received">,
  chunk: Chunk,
): ReceiveStep {
  const { epoch, ct1 } = stage;
  const receivedCt2 = addChunk(stage.receivedCt2, chunk);
  const joined = joinChunks(receivedCt2, CT2_LENGTH + MAC_LENGTH);
  if (joined === undefined) return { stage: { ...stage, receivedCt2 } };
  const ct2 = joined.subarray(0, CT2_LENGTH);
  const secretKey = expandSecretKey(stage.secretKey);
  const secret = epochSecret(decapsulate(secretKey, ct1, ct2), epoch);
  secretKey.fill(0);
  const authenticator = updateAuthenticator(stage.authenticator, epoch, secret);
  const mac = ciphertextMac(authenticator, epoch, ct1, ct2);
  if (!sameBytes(mac, joined.subarray(CT2_LENGTH))) {
    throw new SpqrError("invalid-mac", "the ciphertext is not the peer's");
  }
  return {
    stage: {
      kind: "NoHeaderReceived",
      epoch: epoch + 1,
      authenticator,
      receivedHeader: [],
    },
    secret,
  };
}

function receiveHeader(
  stage: StageOf<"NoHeaderReceived">,
  chunk: Chunk,
): Stage {
  const { epoch, authenticator } = stage;
  const receivedHeader = addChunk(stage.receivedHeader, chunk);
  const joined = joinChunks(receivedHeader, HEADER_LENGTH + MAC_LENGTH);
  if (joined === undefined) return { ...stage, receivedHeader };
  const header = joined.slice(0, HEADER_LENGTH);
  const mac = headerMac(authenticator, epoch, header);
  if (!sameBytes(mac, joined.subarray(HEADER_LENGTH))) {
    throw new SpqrError("invalid-mac", "the header is not the peer's");
  }
  return { kind: "HeaderReceived", epoch, authenticator, header };
}

function sampleCt1(
  { epoch, header, ...stage }: StageOf<"HeaderReceived">,
  random: Random,
): { sampled: StageOf<"Ct1Sampled">; secret: Secret } {
  const m = random(MESSAGE_LENGTH);
  const { ct1, sharedSecret } = encapsulateFirst(header, m);
  const secret = epochSecret(sharedSecret, epoch);
  return {
    sampled: {
      kind: "Ct1Sampled",
      epoch,
      authenticator: updateAuthenticator(stage.authenticator, epoch, secret),
      header,
      m,
      ct1,
      nextChunk: 0,
      receivedEk: [],
    },
    secret,
  };
}

function receiveEk(
  stage: StageOf<"Ct1Sampled" | "Ct1Acknowledged">,
  payload: Payload,
): Stage {
  const { epoch, authenticator, header, m, ct1 } = stage;
  const acknowledged = stage.kind === "Ct1Acknowledged" ||
    acknowledgesCt1(payload);
  const receivedEk = payload.type === "Ek" || payload.type === "EkCt1Ack"
    ? addChunk(stage.receivedEk, payload.chunk)
    : stage.receivedEk;
  const vector = joinChunks(receivedEk, VECTOR_LENGTH);
  if (vector !== undefined) {
    const ct2 = sampleCt2(stage, vector);
    if (acknowledged) return ct2Sampled({ epoch, authenticator, ct2 });
    const { nextChunk } = stage;
    const kind = "EkReceivedCt1Sampled";
    return { kind, epoch, authenticator, ct1, nextChunk, ct2 };
  }
  if (!acknowledged) return { ...stage, receivedEk };
  const kind = "Ct1Acknowledged";
  return { kind, epoch, authenticator, header, m, ct1, receivedEk };
}

function acknowledgesCt1(payload: Payload): boolean {
  return payload.type === "Ct1Ack" || payload.type === "EkCt1Ack";
}

function ct2Sampled(
  { epoch, authenticator, ct2 }: Omit<
    StageOf<"Ct2Sampled">,
    "kind" | "nextChunk"
  >,
): StageOf<"Ct2Sampled"> {
  return { kind: "Ct2Sampled", epoch, authenticator, ct2, nextChunk: 0 };
}

/** ct2 ‖ MAC over both halves. */
function sampleCt2(
  { epoch, authenticator, header, m, ct1 }: StageOf<
    "Ct1Sampled" | "Ct1Acknowledged"
  >,
  vector: Uint8Array,
): Uint8Array {
  const ct2 = encapsulateSecond(header, vector, m, ct1);
  const sealed = new Uint8Array(CT2_LENGTH + MAC_LENGTH);
  sealed.set(ct2);
  sealed.set(ciphertextMac(authenticator, epoch, ct1, ct2), CT2_LENGTH);
  return sealed;
}

function epochSecret(sharedSecret: Uint8Array, epoch: number): Secret {
  const secret = derive(sharedSecret, withEpoch(EPOCH_SECRET, epoch), 32);
  sharedSecret.fill(0);
  return secret;
}
