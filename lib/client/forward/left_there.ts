import type { Desk } from "../desk.ts";
import { keepFormerBackups } from "../former_backups.ts";
import {
  type CondemnedQueue,
  discardedTable,
  type FormerBackupsRecord,
  formerBackupsTable,
  type LeftRelay,
  queueTable,
  SELF,
} from "../records.ts";

/** After this long nobody waits for a relay that is never there, in ms: a week more than contacts are given. */
const GIVE_UP_MS = 28 * 86_400_000;

/** What of the account is still at a relay that it has left. */
export interface LeftThere {
  readonly place: LeftRelay;
  /** Names of queues by which somebody may still send. */
  readonly read: readonly string[];
  /** Names of own queues that are to be deleted. */
  readonly discarded: readonly string[];
  readonly condemned: readonly CondemnedQueue[];
  readonly backups: FormerBackupsRecord["backups"];
}

/** What of the account is at relays that it has left. What has been waited for too long is forgotten. */
export async function leftThere(desk: Desk): Promise<LeftThere[]> {
  const { ledger, contacts, clock } = desk;
  const { reader } = ledger;
  const { queues = [], condemned = [] } =
    await reader.get(discardedTable, SELF) ?? {};
  const { backups = [] } = await reader.get(formerBackupsTable, SELF) ?? {};
  // The first two are at the own relay.
  const read = [...contacts.values()]
    .flatMap(({ record }) => record.queues.slice(2));
  const all = new Map<string, Mutable<LeftThere>>();
  const at = (place: LeftRelay) => {
    const there = all.get(place.url) ??
      { place, read: [], discarded: [], condemned: [], backups: [] };
    all.set(place.url, there);
    return there;
  };
  const own = await reader.getMany(queueTable, [...read, ...queues]);
  for (const [i, record] of own.entries()) {
    if (!record?.left) continue;
    if (i < read.length) at(record.left).read.push(read[i]);
    else at(record.left).discarded.push(queues[i - read.length]);
  }
  for (const queue of condemned) {
    if (queue.left) at(queue.left).condemned.push(queue);
  }
  for (const backup of backups) {
    if (backup.left) at(backup.left).backups.push(backup);
  }
  const over = [...all.values()].filter(({ place, read }) =>
    read.length === 0 && clock.now() - place.since > GIVE_UP_MS
  );
  for (const there of over) all.delete(there.place.url);
  if (over.length > 0) await forget(desk, over);
  return [...all.values()];
}

/** What is at a relay that did not come back is not waited for: it goes there by itself in time. */
function forget({ ledger }: Desk, over: readonly LeftThere[]): Promise<void> {
  const isOver = (left: LeftRelay | undefined) =>
    over.some(({ place }) => place.url === left?.url);
  return ledger.run(async (entry) => {
    const names = over.flatMap(({ discarded }) => discarded);
    for (const name of names) entry.delete(queueTable, name);
    const { queues = [], condemned = [] } =
      await entry.get(discardedTable, SELF) ?? {};
    entry.put(discardedTable, SELF, {
      queues: queues.filter((name) => !names.includes(name)),
      condemned: condemned.filter(({ left }) => !isOver(left)),
    });
    await keepFormerBackups(entry, ({ left }) => !isOver(left));
  });
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K];
};
