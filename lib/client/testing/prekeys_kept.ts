/** The stock of prekeys as it lies on somebody's disk. */
import assert from "node:assert/strict";
import {
  describePreKeyStock,
  parsePreKeyStock,
  type PreKeyStock,
} from "../../signal/mod.ts";
import { deriveAccount, parseAccessKey } from "../keys/mod.ts";
import { type PreKeysRecord, preKeysTable, SELF } from "../records.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import type { Person, World } from "./world.ts";

/** Mostly enough for a connection that a jump of the clock has ended to be made anew, and a minute old. */
const WHILE = 3 * 60_000;

export type Newcomer = Person & { accessKey: string };

/** What is on somebody's disk, read from a copy of it. */
async function kept(person: Newcomer): Promise<PreKeysRecord> {
  const reading = parseAccessKey(person.accessKey);
  assert.ok(reading.ok);
  const { recovery } = await deriveAccount(reading.key);
  const copy = new MemoryDisk();
  copy.load(person.disk.entries());
  const vault = await Vault.recover(copy.platform(), recovery);
  const record = await vault.get(preKeysTable, SELF);
  assert.ok(record);
  await vault.close();
  return record;
}

/** Its stock, opened. */
export async function stockOf(person: Newcomer): Promise<PreKeyStock> {
  return parsePreKeyStock((await kept(person)).stock);
}

/** What its stock says of itself. */
export async function infoOf(person: Newcomer) {
  return describePreKeyStock(await stockOf(person));
}

/** Until what is due since then has been done, or somebody has died of it. */
export async function upkept(
  world: World,
  person: Newcomer,
  since: number,
): Promise<void> {
  for (let rounds = 1; rounds <= 20; rounds++) {
    await world.settle(WHILE);
    if (!person.alive || (await kept(person)).caughtUp >= since) return;
  }
  assert.fail("nobody looks after the prekeys");
}
