/** One's own data, readable without this program. */
import { type Contact, nameOf } from "./contact.ts";
import { verificationOf } from "./contact_settings.ts";
import { ConversationLog, type Row } from "./content/mod.ts";
import type { Desk } from "./desk.ts";

/** Raised when a field changes its meaning. */
const FORMAT_VERSION = 1;

/**
 * Contacts and messages as one JSON text, in pieces: a long past is never in memory whole. Keys,
 * addresses and the access key are not in it. What comes in meanwhile may be missing.
 * @throws what reading the vault does
 */
export async function* exportData(desk: Desk): AsyncGenerator<string> {
  const { account, clock } = desk;
  const head = {
    format: "whisper export",
    version: FORMAT_VERSION,
    exported: date(clock.now()),
    account: { name: account.name, id: account.accountId },
  };
  yield `${JSON.stringify(head, null, 1).slice(0, -2)},\n "contacts": [`;
  let separator = "\n";
  for (const contact of [...desk.contacts.values()]) {
    const about = JSON.stringify(contactData(contact)).slice(0, -1);
    yield `${separator}  ${about}, "messages": [`;
    yield* messages(desk, contact);
    yield "]}";
    separator = ",\n";
  }
  yield "\n ]\n}\n";
}

async function* messages(
  desk: Desk,
  { record: { conversation } }: Contact,
): AsyncGenerator<string> {
  const log = new ConversationLog(desk.account.accountId);
  let separator = "\n";
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = await log.pageAfter(desk.ledger.reader, conversation, after);
    for (const row of page.rows) {
      yield `${separator}   ${JSON.stringify(messageData(row))}`;
      separator = ",\n";
    }
    after = page.after;
  }
}

function contactData(contact: Contact) {
  const { record, deviceList } = contact;
  const { settings } = record;
  const verified = verificationOf(settings, { ...record, deviceList });
  return {
    name: nameOf(contact),
    chosenName: record.name,
    id: record.accountId,
    met: date(record.metAt),
    verified: verified === "verified",
    muted: settings.muted.value,
    archived: settings.archived.value,
    blocked: settings.blocked.value,
  };
}

/** What JSON leaves out (undefined) does not apply. */
function messageData(row: Row) {
  const { id, mine, time, arrived, body, reactions, state } = row;
  return {
    id,
    from: mine ? "me" : "contact",
    time: date(time),
    arrived: date(arrived),
    ...body,
    state,
    reactions: reactions.length === 0
      ? undefined
      : reactions.map(({ author, emoji }) => ({ by: author, emoji })),
  };
}

/** ISO 8601, UTC. A contact's clock may say what no calendar does. */
function date(time: number): string | undefined {
  const moment = new Date(time);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}
