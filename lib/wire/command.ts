import type { BlobCommand } from "./blob_command.ts";
import type { ErrorName } from "./error_code.ts";
import type { ForwardCommand, OneShotType } from "./forward_command.ts";

/** Receive, send and remove: the three credentials of a queue, with their numbers on the wire. */
export const ROLES = { receive: 0, send: 1, remove: 2 } as const;
export type Role = keyof typeof ROLES;

/** The type byte of each command. */
export const COMMAND_TYPES = {
  HELLO: 0x01,
  OK: 0x02,
  ERR: 0x03,
  NEW: 0x10,
  BIND: 0x11,
  SEND: 0x12,
  MSG: 0x13,
  ACK: 0x14,
  DEL: 0x15,
  REPLACED: 0x16,
  POST: 0x17,
  COLLECT: 0x18,
  REMOVE: 0x19,
  PUT: 0x20,
  GET: 0x21,
  DROP: 0x22,
  TAKE: 0x23,
  OPEN: 0x30,
  JOIN: 0x31,
  PASS: 0x32,
  CLOSE: 0x33,
  MEET: 0x34,
  PING: 0x40,
  NOP: 0x41,
  FWD: 0x42,
  ACCESS: 0x43,
} as const;
export type CommandType = keyof typeof COMMAND_TYPES;

/**
 * One command. `request` is 0 for a push, which has no answer; anything else
 * is echoed in exactly one OK or ERR. Byte layouts: docs/protocol.md § Relay.
 */
export type Command = { request: number /* u16 */ } & CommandBody;

export type CommandBody =
  | { type: "HELLO"; body: Uint8Array /* parseHello */ }
  | {
    type: "OK";
    body: Uint8Array; /* parseBindOk, parseOpenOk, parseJoinOk; else empty */
  }
  | { type: "ERR"; code: ErrorName; detail: Uint8Array }
  | {
    type: "NEW";
    receiveKey: Uint8Array /* 32 */;
    sendKey: Uint8Array /* 32 */;
    removeKey: Uint8Array /* 32 */;
    work: bigint;
  }
  | {
    type: "BIND";
    role: Role;
    queue: Uint8Array /* 16 */;
    generation: number /* u32, 0 unless role is receive */;
    signature: Uint8Array /* 64, over bindMessage */;
  }
  | {
    type: "SEND";
    handle: number;
    id: Uint8Array /* 16 */;
    envelope: Uint8Array; /* ENVELOPE_SIZES */
  }
  | {
    type: "MSG";
    handle: number;
    seq: number /* u48 */;
    id: Uint8Array /* 16 */;
    envelope: Uint8Array /* ENVELOPE_SIZES */;
  }
  | { type: "ACK"; handle: number; seq: number /* u48, this and all before */ }
  | { type: "DEL"; handle: number }
  | { type: "REPLACED"; handle: number }
  | BlobCommand
  | ForwardCommand
  | {
    type: OneShotType;
    body: Uint8Array; /* forwarded only: OneShotCommand */
  }
  | {
    type: "OPEN";
    publicKey: Uint8Array /* 32 */;
    signature: Uint8Array /* 64, over rendezvousMessage */;
    work: bigint;
  }
  | {
    type: "JOIN";
    nameplate: number /* 20 bits */;
    publicKey: Uint8Array /* 32 */;
    signature: Uint8Array /* 64, over rendezvousMessage */;
    work: bigint;
  }
  | {
    type: "PASS";
    handle: number;
    index: number /* u8 */;
    bytes: Uint8Array; /* ≤ 16,000 */
  }
  | { type: "CLOSE"; handle: number }
  | { type: "PING" | "NOP" }
  | {
    type: "ACCESS";
    signature: Uint8Array /* 64, over accessMessage */;
    work: bigint;
  };
