import type { Command, ErrorName } from "../wire/mod.ts";
import type { Blobs } from "./blobs.ts";
import type { Connection, ConnectionContext } from "./connection.ts";
import type { DayKey } from "./day_key.ts";
import type { Outlet } from "./handle.ts";
import type { Handles, HeldInAll } from "./handles.ts";
import type { Payment, Payments } from "./payments.ts";
import type { Peers } from "./peers.ts";
import type { Pools } from "./pools.ts";
import type { Random } from "./random.ts";
import type { Queues } from "./queues.ts";
import type { RendezvousDesk } from "./rendezvous.ts";
import type { WorkPrice } from "./work_price.ts";

/** What all sessions of a relay share. */
export type SessionContext = ConnectionContext & {
  queues: Queues;
  desk: RendezvousDesk;
  blobs: Blobs;
  pools: Pools;
  price: WorkPrice;
  held: HeldInAll;
  random: Random;
  relayKey: Uint8Array;
  /** Of a private relay: the Ed25519 public key (32) that its password stands for. */
  accessKey: Uint8Array | undefined;
  /** The body of HELLO for a challenge, to who came by this origin, and the key that it tells others to seal to. */
  hello: (
    challenge: Uint8Array,
    publicUrl: string,
  ) => Promise<{ body: Uint8Array; day: DayKey }>;
  /** Undefined when this relay forwards nothing. */
  peers: Peers | undefined;
};

/** Who is answered: a connection, or who is behind another relay. */
export type Asker = Pick<Connection, "ok" | "answer" | "open">;

/** One connection, or all that is forwarded by one, as those see it who carry out its commands. */
export type Visit = {
  context: SessionContext;
  connection: Asker;
  outlet: Outlet;
  /** 32 bytes, new for every connection. */
  challenge: Uint8Array;
  handles: Handles;
  payments: Payments;
  /** Whether it may do what is anonymous: the relay wants no password, or it was proven. */
  admitted: boolean;
};

/** Answers a command with OK or an error, once it is known which. */
export function answerTo(
  { connection }: Visit,
  { request }: Command,
): (error: ErrorName | undefined) => void {
  return (error) => connection.answer(request, error);
}

/** Whether anonymous commands are accepted from this connection; a refusal is answered. */
export function isAdmitted(
  { connection, admitted }: Visit,
  request: number,
): boolean {
  if (!admitted) connection.answer(request, "access");
  return admitted;
}

/** Whether an anonymous command is paid for; a refusal is answered with the price. */
export function isPaid(
  { connection, payments }: Visit,
  request: number,
  payment: Payment,
): boolean {
  const outcome = payments.check(payment);
  if (outcome === "paid") return true;
  if (outcome === "conflict") connection.answer(request, "conflict");
  else connection.answer(request, "work", Uint8Array.of(outcome.bits));
  return false;
}
