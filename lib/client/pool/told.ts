import { equalBytes } from "@noble/ciphers/utils.js";
import { type Contact, openContact } from "../contact.ts";
import type { Said } from "../inbox.ts";

/** A contact one of whose devices says where its bundles wait. The same, if it says nothing new. */
export async function withPool(
  contact: Contact,
  { device: { id }, content: { body } }: Said,
): Promise<Contact> {
  const pool = body.kind === "hello" && body.pool;
  const { record } = contact;
  const known = record.devices.find((device) => device.id === id);
  if (!pool || !known || known.pool && equalBytes(known.pool, pool)) {
    return contact;
  }
  const devices = record.devices.map((device) =>
    device === known ? { ...device, pool } : device
  );
  return await openContact({ ...record, devices });
}
