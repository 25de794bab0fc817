/** What an option's value may look like: text to value, or what it must be instead. */

/** Not a value of this kind; the message goes on after "it must be". */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

export type Parser<T> = (text: string) => T;

export const text: Parser<string> = (given) => given;

/** A whole number. */
export const count: Parser<number> = (given) => {
  const number = /^\d{1,16}$/.test(given) ? Number(given) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new ValueError("a whole number");
};

export const port: Parser<number> = (given) => {
  const number = /^\d{1,5}$/.test(given) ? Number(given) : NaN;
  if (number <= 65535) return number;
  throw new ValueError("a number from 0 to 65535");
};

/** A name or address to listen on, an IPv6 one with or without brackets. */
export const host: Parser<string> = (given) => {
  const bare = given.replace(/^\[(.*)\]$/, "$1");
  if (/^[\w.:%-]+$/.test(bare)) return bare;
  throw new ValueError("an address or a host name");
};

/** Host names, `*.` before one for all below it, with commas between them. */
export const hosts: Parser<readonly string[]> = (given) => {
  const names = given.split(",").map((name) => name.trim().toLowerCase());
  const label = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?";
  const name = new RegExp(
    `^(\\*\\.)?${label}(\\.${label})*$|^\\[[0-9a-f:.]+\\]$`,
  );
  if (names.every((one) => name.test(one))) return names;
  throw new ValueError("host names such as relay.example,*.example.org");
};

/** Of a flag in the environment. */
export const yesOrNo: Parser<boolean> = (given) => {
  if (/^(1|yes|true)$/i.test(given)) return true;
  if (/^(0|no|false)$/i.test(given)) return false;
  throw new ValueError("yes or no");
};

/** Where another program listens. */
export const hostAndPort: Parser<{ host: string; port: number }> = (given) => {
  const [, name, digits] = /^(.+):(\d{1,5})$/.exec(given) ?? [];
  if (name !== undefined && Number(digits) > 0) {
    return { host: host(name), port: port(digits) };
  }
  throw new ValueError("an address and a port, such as 127.0.0.1:9051");
};

/** What the host calls somebody; it becomes a file's name. */
export const personName: Parser<string> = (given) => {
  if (/^[A-Za-z0-9_-]{1,32}$/.test(given)) return given;
  throw new ValueError("up to 32 letters, digits, - and _");
};

export const origin: Parser<string> = (given) => {
  const url = URL.parse(given);
  const bare = url && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
    !url.search && !url.hash && !url.username && !url.password;
  if (bare) return url.origin;
  throw new ValueError(
    "an origin such as https://whisper.example, without a path",
  );
};

const SIZES: readonly [unit: string, bytes: number][] = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
];

/** Bytes. */
export const size: Parser<number> = (given) => {
  const bytes = inUnits(given, [...SIZES, ["B", 1], ["", 1]]);
  if (bytes !== undefined) return bytes;
  throw new ValueError("a size such as 16MiB, 4GiB or 4096");
};

const DURATIONS: readonly [unit: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** Seconds. */
export const duration: Parser<number> = (given) => {
  const seconds = inUnits(given, [...DURATIONS, ["", 1]]);
  if (seconds !== undefined) return seconds;
  throw new ValueError("a time such as 21d, 12h, 5m or 90s");
};

/** The shortest text that `size` reads as these bytes. */
export const sizeText = (bytes: number): string => textIn(bytes, SIZES, "B");

/** The shortest text that `duration` reads as these seconds. */
export const durationText = (seconds: number): string =>
  textIn(seconds, DURATIONS, "s");

function inUnits(
  given: string,
  units: readonly [unit: string, worth: number][],
): number | undefined {
  const [, digits, unit] = /^(\d{1,16}) ?([A-Za-z]*)$/.exec(given) ?? [];
  const [, worth] = units.find(([name]) => name === unit) ?? [];
  const value = Number(digits) * (worth ?? NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

function textIn(
  value: number,
  units: readonly [unit: string, worth: number][],
  smallest: string,
): string {
  const [unit, worth] = value === 0
    ? [smallest, 1]
    : units.find(([, worth]) => value % worth === 0) ?? [smallest, 1];
  return `${value / worth}${unit}`;
}
