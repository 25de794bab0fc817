/**
 * Sessions that have come apart: one side's storage was lost or put back to an earlier state. Who can't
 * decrypt asks for another session, by announcing itself with a bundle; who is asked begins one, and what
 * nobody confirmed goes out in it once more. docs/protocol.md § Announcements.
 */
import { type Contact, recipientOf } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import { sessionName } from "../outbox.ts";
import { repairTable } from "../records.ts";
import type { Announcer } from "./announcer.ts";

/** A device is asked at most once in this time, ms: whoever sends nonsense costs one answer. */
const ASK_EVERY_MS = 3_600_000;

/** In the same time, as often is sent once more what nobody confirmed. */
const MAX_GIVEN = 10;

/**
 * Asks the device of a contact that sent what can't be decrypted to begin another session.
 * @returns false when it was asked not long ago
 */
export async function askAnew(
  { desk, announcer }: { desk: Desk; announcer: Announcer },
  entry: Entry,
  contact: Contact,
  device: number,
): Promise<boolean> {
  const { address } = recipientOf(contact, device).devices[0] ?? {};
  if (!address) return false;
  const name = sessionName(contact.record.accountId, device);
  const repair = await entry.get(repairTable, name);
  const now = desk.clock.now();
  const asked = repair?.asked;
  // A clock that was put back is no reason to wait.
  if (asked !== undefined && asked <= now && now - asked < ASK_EVERY_MS) {
    return false;
  }
  entry.put(repairTable, name, { ...repair, asked: now });
  await announcer.announce(entry, contact, address, { anew: device });
  return true;
}

/** Whether a device that asked for another session has once more what nobody confirmed. */
export async function mayHaveAgain(
  { clock }: Pick<Desk, "clock">,
  entry: Entry,
  session: string,
): Promise<boolean> {
  const repair = await entry.get(repairTable, session);
  const now = clock.now();
  const { since, times } = repair?.given ?? { since: now, times: 0 };
  const over = since > now || now - since >= ASK_EVERY_MS;
  const given = over ? { since: now, times: 1 } : { since, times: times + 1 };
  if (given.times > MAX_GIVEN) return false;
  entry.put(repairTable, session, { ...repair, given });
  return true;
}
