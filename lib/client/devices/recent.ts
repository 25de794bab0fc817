/**
 * What happened here and another own device may not know: of the last minutes, for one that came in between
 * and was heard of only now; since it last heard this one, when what was told it then may be lost. What was
 * said before it came is history, and stays here.
 */
import { type Contact } from "../contact.ts";
import { composed } from "../contents.ts";
import type { ConversationLog, Row } from "../content/mod.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import type { Sync } from "./sync.ts";

/**
 * How long ago it may have come here, ms. What waited at the relay comes in one go with the word of the
 * new device, whatever its age; whoever has the access key gets no more than this of what was before.
 */
export const RECENT_MS = 600_000;

/** Of each conversation no more than its newest messages are looked at. */
const MOST = 500;

/** ms since the epoch, by this device's clock. */
export interface Period {
  /** What happened from then on is told. */
  readonly since: number;
  /** Messages from then on may be on the other device. */
  readonly came: number;
}

/** What the other device is to be told, conversation by conversation, in their order. */
export async function happened(
  entry: Entry,
  desk: Desk,
  log: ConversationLog,
  period: Period,
): Promise<Sync[]> {
  const syncs: Sync[] = [];
  for (const contact of desk.contacts.values()) {
    syncs.push(...await happenedWith(entry, desk, log, contact, period));
  }
  return syncs;
}

async function happenedWith(
  entry: Entry,
  desk: Desk,
  log: ConversationLog,
  contact: Contact,
  { since, came }: Period,
): Promise<Sync[]> {
  const { accountId: about, conversation } = contact.record;
  const [summary] = await log.summaries(entry, [conversation]);
  if (!summary) return [];
  const syncs: Sync[] = [];
  const rows = await newest(entry, log, conversation, since);
  for (const row of rows) {
    // What became of a message does not show when.
    const isNews = isFresh(row, since) || isChanged(row) && row.arrived >= came;
    if (isNews) syncs.push(...await told(entry, desk, log, contact, row));
  }
  const ids = rows.filter(({ mine, arrived }) => !mine && arrived >= came)
    .map(({ id }) => id);
  if (summary.unread === 0 && ids.length > 0) {
    syncs.push({ kind: "read", about, ids });
  }
  const draft = await log.draft(entry, conversation);
  if (draft && draft.time >= since) {
    syncs.push({ kind: "draft", about, ...draft });
  }
  return syncs;
}

/** The newest page, and those before it as long as there is anything in them to be told. */
async function newest(
  entry: Entry,
  log: ConversationLog,
  conversation: string,
  since: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  let before: number | undefined;
  do {
    const page = await log.page(entry, conversation, before);
    rows.unshift(...page.rows);
    before = page.rows.some((row) => isFresh(row, since))
      ? page.before
      : undefined;
  } while (before !== undefined && rows.length < MOST);
  return rows;
}

/** Whether it came since then, or was written here and is not at the relay yet. */
function isFresh({ arrived, state }: Row, since: number): boolean {
  return arrived >= since || state === "sending" || state === "failed";
}

function isChanged({ body }: Row): boolean {
  return body.kind === "deleted" || body.kind === "text" && body.edited;
}

async function told(
  entry: Entry,
  desk: Desk,
  log: ConversationLog,
  contact: Contact,
  { conversation, author, id, mine, state }: Row,
): Promise<Sync[]> {
  const { accountId: about } = contact.record;
  const found = await log.find(entry, conversation, { author, id });
  const content = found?.content ??
    composed(desk, contact, { kind: "deletion", target: id });
  const events = found?.edit ? [content, found.edit] : [content];
  const kind = mine ? "sent" : "heard";
  const said = events.map(({ bytes }): Sync => ({
    kind,
    about,
    content: bytes,
  }));
  return !mine || state === undefined || state === "sending"
    ? said
    : [...said, { kind: "settled", about, outcome: state, ids: [id] }];
}
