import { bytesToUtf8, utf8ToBytes } from "@noble/ciphers/utils.js";
import type { Address } from "../mod.ts";
import type { Party } from "./party.ts";
import assert from "node:assert/strict";

/** Sends a text and expects it to arrive. */
export async function say(from: Party, to: Party, text: string): Promise<void> {
  assert.equal(
    await hear(to, from.address, await write(from, to.address, text)),
    text,
  );
}

export async function write(from: Party, to: Address, text: string) {
  return await from.send(to, utf8ToBytes(text));
}

export async function hear(
  at: Party,
  from: Address,
  message: Awaited<ReturnType<Party["send"]>>,
): Promise<string> {
  return bytesToUtf8(await at.receive(from, message));
}
