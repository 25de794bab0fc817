import { queueId } from "../wire/mod.ts";
import type { Address } from "./keys/mod.ts";
import type { Connection } from "./link/mod.ts";
import { bindQueue } from "./queues.ts";
import type { OutgoingRecord } from "./records.ts";

/**
 * Hands an envelope to the relay of its queue. Resolves when that relay has it; rejects as
 * `Connection.request` does.
 */
export type Send = (
  record: Pick<OutgoingRecord, "id" | "envelope">,
) => Promise<unknown>;

/** The way to a queue at the own relay. Rejects as `Connection.request` does. */
export async function openOwnWay(
  connection: Connection,
  { send }: Address,
): Promise<Send> {
  const handle = await bindQueue(connection, {
    role: "send",
    pair: send,
    queue: queueId(send.publicKey),
  });
  return ({ id, envelope }) =>
    connection.request({ type: "SEND", handle, id, envelope });
}
