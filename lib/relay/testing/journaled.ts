import { JOURNAL } from "../journal.ts";
import { decodeBlock } from "../journal_block.ts";
import type { Mutation } from "../store.ts";

/** What each commit that wrote to the journal wrote there. */
export function journaled(
  commits: readonly (readonly Mutation[])[],
): Mutation[][] {
  return commits.map((commit) =>
    commit.flatMap(({ key, value }) =>
      key[0] === JOURNAL && value !== undefined ? decodeBlock(value) : []
    )
  ).filter((mutations) => mutations.length > 0);
}

/** How many bytes each value has that a commit writes, and how many keys it deletes: all that a disk sees of it. */
export function shapes(
  commits: readonly (readonly Mutation[])[],
): (number | undefined)[][] {
  return commits.map((commit) => commit.map(({ value }) => value?.length));
}

/** How many queues a relay's store has, in their place or still in the journal. */
export async function countQueues(kv: Deno.Kv): Promise<number> {
  const changes: { id: string; gone: boolean }[] = [];
  const nameOf = ([, id]: readonly Deno.KvKeyPart[]) => String(id);
  // First the journal: what moves to its place meanwhile is then seen twice, and not never.
  for await (const { value } of kv.list<Uint8Array>({ prefix: [JOURNAL] })) {
    for (const { key, value: kept } of decodeBlock(value)) {
      if (key[0] !== "q") continue;
      changes.push({ id: nameOf(key), gone: kept === undefined });
    }
  }
  const queues = new Set<string>();
  for await (const { key } of kv.list({ prefix: ["q"] })) {
    queues.add(nameOf(key));
  }
  for (const { id, gone } of changes) {
    if (gone) queues.delete(id);
    else queues.add(id);
  }
  return queues.size;
}
