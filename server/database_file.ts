/** The relay's database as the file it is: looked at, checked and copied, without a relay opened on it. */
import { backup, DatabaseSync } from "node:sqlite";
import {
  readIdentity,
  type StoreIdentity,
  type StoreKey,
} from "../lib/relay/mod.ts";

/**
 * Whose database it is; undefined when no relay ever wrote to it.
 * @throws when it is no database of Deno KV.
 */
export async function identityIn(
  path: string,
): Promise<StoreIdentity | undefined> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const select = database.prepare("select v from kv where k = ?");
    return await readIdentity((key) => {
      const value = select.get(encodeKey(key))?.v;
      return value instanceof Uint8Array ? value : undefined;
    });
  } finally {
    database.close();
  }
}

/** What SQLite finds wrong with the file; empty when nothing. */
export function damageIn(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database.prepare("pragma quick_check(1)").all();
    const said = rows.map((row) => Object.values(row).join(" ")).join("; ");
    return said === "ok" ? "" : said;
  } finally {
    database.close();
  }
}

/** Copies the database as it is at one moment, while others go on reading and writing it. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    // One read transaction around it all: what is written meanwhile does not make the copy begin again.
    database.exec("begin");
    database.prepare("select count(*) from migration_state").get();
    await backup(database, to, { rate: 10_000 });
  } finally {
    database.close();
  }
}

/** Moves what lies beside the file into it, when nobody else has it open. */
export function foldJournal(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma wal_checkpoint(truncate)");
  } finally {
    database.close();
  }
}

/** A key as Deno KV writes it: of each part its kind, its bytes and an end. The relay names these by text alone. */
function encodeKey(key: StoreKey): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    key.flatMap((part) => [0x02, ...encoder.encode(String(part)), 0x00]),
  );
}
