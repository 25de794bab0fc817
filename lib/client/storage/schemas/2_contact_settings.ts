/**
 * To schema 2: what is decided about a contact (own name, mute, archive, block, verification) got a
 * place in its record. Frozen: it speaks of records as schema 1 wrote them, whatever came later.
 */
import { Fields } from "../../keys/mod.ts";
import { plain } from "../../record_codec.ts";
import type { Migration } from "../migrations.ts";

interface ContactOfSchema1 {
  readonly accountKey: Uint8Array;
  /** Signed. */
  readonly deviceList: Uint8Array;
}

const contacts = plain<ContactOfSchema1>();
const unchosen = <T>(value: T) => ({ value, time: 0, device: 0 });

export const toContactSettings: Migration = {
  to: 2,
  upgrade: (record) => {
    if (record.table !== "contact") return record;
    const contact = contacts.decode(record.value);
    const upgraded = {
      ...contact,
      settings: {
        name: unchosen(""),
        muted: unchosen(false),
        archived: unchosen(false),
        blocked: unchosen(false),
        identity: unchosen({
          accountKey: contact.accountKey,
          deviceKeys: deviceKeys(contact.deviceList),
          verified: false,
        }),
      },
    };
    return { ...record, value: contacts.encode(upgraded) };
  },
};

/** The identity keys in a signed device list. Its signature is checked whenever the contact is opened. */
function deviceKeys(signedList: Uint8Array): Uint8Array[] {
  const list = new Fields(new Fields(signedList).bytes(1));
  return list.repeated(5, 127).map((device) => new Fields(device).bytes(3));
}
