/**
 * What was said between the moment in which a device of the account came and that in which this one heard
 * of it: it would be on one and not on the other. What was said before is history, and stays here.
 */
import type { ConversationLog, Row } from "../content/mod.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import type { Sync } from "./sync.ts";

/**
 * How long ago it may have come here, ms. What waited at the relay comes in one go with the word of the
 * new device, whatever its age; whoever has the access key gets no more than this of what was before.
 */
const RECENT_MS = 600_000;

/** What a new device of the account is to be told, conversation by conversation, in their order. */
export async function recent(
  entry: Entry,
  { clock, contacts }: Desk,
  log: ConversationLog,
): Promise<Sync[]> {
  const since = clock.now() - RECENT_MS;
  const people = [...contacts.values()].map(({ record }) => record);
  const summaries = await log.summaries(
    entry,
    people.map(({ conversation }) => conversation),
  );
  const syncs: Sync[] = [];
  for (const [i, { accountId, conversation }] of people.entries()) {
    const summary = summaries[i];
    const isRecent = summary && (summary.activity >= since ||
      summary.last !== undefined && isWaiting(summary.last));
    if (!isRecent) continue;
    const { rows } = await log.page(entry, conversation);
    const fresh = rows.filter((row) => row.arrived >= since || isWaiting(row));
    for (const row of fresh) {
      syncs.push(...await told(entry, log, accountId, row));
    }
    const ids = fresh.filter(({ mine }) => !mine).map(({ id }) => id);
    if (summary.unread === 0 && ids.length > 0) {
      syncs.push({ kind: "read", about: accountId, ids });
    }
  }
  return syncs;
}

/** Whether it was written here and is not at the relay yet. */
function isWaiting({ state }: Row): boolean {
  return state === "sending" || state === "failed";
}

async function told(
  entry: Entry,
  log: ConversationLog,
  about: string,
  { conversation, author, id, mine, state }: Row,
): Promise<Sync[]> {
  const found = await log.find(entry, conversation, { author, id });
  if (!found?.content) return []; // taken back
  const { bytes: content } = found.content;
  if (!mine) return [{ kind: "heard", about, content }];
  const sent: Sync = { kind: "sent", about, content };
  return state === undefined || state === "sending"
    ? [sent]
    : [sent, { kind: "settled", about, outcome: state, ids: [id] }];
}
