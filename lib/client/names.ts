/** What people are called: fetched when somebody is given a name, or there is more than one. */
import { isDisplayName } from "./display_name.ts";
import type { OwnState } from "./own_devices.ts";

/** A display name as it is kept: trimmed. Throws RangeError for one that a card could not carry. */
export function checkName(displayName: string): string {
  const name = displayName.trim().normalize("NFC");
  if (!isDisplayName(name)) {
    throw new RangeError(
      "a name has 1 to 64 characters, none of them control characters",
    );
  }
  return name;
}

/** The own name for who calls themselves `chosen`; none when it is the same. Throws RangeError for what is no name. */
export function ownName(name: string, chosen: string): string {
  if (name.trim() === "") return "";
  const checked = checkName(name);
  return checked === chosen ? "" : checked;
}

/** Letters of other scripts, and what they are taken for. */
const LETTERS = "АВСЕНІЈКМОРЅТХУасеіјорѕхуһԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρυικI|10";
const TAKEN_FOR = "ABCEHlJKMOPSTXYaceijopsxyhdABEZHlKMNOPTYXaovpuiklllo";
const LETTER = new RegExp(`[${LETTERS}]`, "gu");

/** What a name is to the eye: the same for those that are easily taken for each other. */
function seenAs(name: string): string {
  return name.normalize("NFKD")
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(LETTER, (letter) => TAKEN_FOR[LETTERS.indexOf(letter)])
    .toLowerCase()
    .replaceAll("rn", "m")
    .replace(/\s+/gu, " ");
}

/**
 * Nobody is to pass for a contact by the name they choose.
 * @returns the names that people are shown by, by their ids: whose name looks like that of somebody before them is
 * told from these by a number
 */
export function toldApart(
  people: Iterable<readonly [id: string, name: string]>,
): Map<string, string> {
  const taken = new Set<string>();
  const shown = new Map<string, string>();
  for (const [id, name] of people) {
    let numbered = name;
    for (let n = 2; taken.has(seenAs(numbered)); n++) {
      numbered = `${name} (${n})`;
    }
    taken.add(seenAs(numbered));
    shown.set(id, numbered);
  }
  return shown;
}

/** The same for own devices that are called something, in the order of their ids, which is that of their coming. */
export function devicesToldApart(
  { account, devices: { name, others } }: OwnState,
): Map<string, string> {
  return toldApart(
    account.deviceList.devices.flatMap(({ id }) => {
      const called = id === account.device.id
        ? name
        : others.find((other) => other.id === id)?.name;
      return called ? [[`${id}`, called] as const] : [];
    }),
  );
}
