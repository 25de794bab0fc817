/** What the program prints while it serves. */

/** All of it. A new line has to be put here, and be thought about: it may tell nothing of a client. */
const LINES: readonly RegExp[] = [
  /^Whisper is listening at https?:\/\/localhost:\d+$/,
  /^Its data is in \/\S+$/,
  /^Its totals are at http:\/\/127\.0\.0\.1:\d+\/metrics$/,
  /^Open it in a browser( on this machine)? and create an account\./,
  /^https address: see --tls-cert or a proxy/,
  /^People reach it at http\S+: pass that on\.$/,
  /^Its onion address is printed here when people can reach it\.$/,
  /^Ctrl\+C stops it\.$/,
  /^relay: bringing the database from format \d+ to \d+$/,
  /^relay: storage failed \([A-Za-z]+\)$/,
  /^The onion service can be reached by (everybody|nobody|one person, who has a key|\d+ people, who have keys): http:\/\/[a-z2-7]{56}\.onion$/,
  /^[█▀▄ ]+$/,
  /^tor: the onion service can be reached again$/,
  /^tor: still on its way into the network \(\d+ %, [a-z ]+\)$/,
  /^tor: \S+ can't be told to defend the onion service by proof of work, [\d.]+ can; it is published without$/,
  /^tor: [^\n]+; the relay goes on without it, and tries again$/,
  /^Stopping\.$/,
];

/** The lines of `output` that are none of these. */
export function strangeLines(output: string): string[] {
  return output.split("\n").filter((line) =>
    line !== "" && !LINES.some((known) => known.test(line))
  );
}
