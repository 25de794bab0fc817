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
