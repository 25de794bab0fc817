/** The command line and the environment, parsed once into options or one line that says what is wrong. */

export interface Options {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Name or address to listen on. */
  readonly host: string;
  /** Data directory; undefined for the platform's own place. */
  readonly data?: string;
  /** The origin people reach this server by; undefined for the address it listens on. */
  readonly publicUrl?: string;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export type Command =
  | { readonly name: "serve"; readonly options: Options }
  | { readonly name: "help" };

/** What was asked for can't be done as asked; the message is the line to show. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const HELP =
  `Whisper: a private messenger. Serves the pages and the relay.

Usage: whisper [serve] [options]

  --port NUMBER       port to listen on (8000; 0 chooses a free one)
  --host ADDRESS      address to listen on (127.0.0.1; 0.0.0.0 for all)
  --data DIRECTORY    where the relay keeps its database
                      (default: this user's data folder)
  --public-url URL    the origin people reach this server by, for instance
                      https://whisper.example (default: the address it listens on)
  --tls-cert FILE     certificate chain, PEM; together with
  --tls-key FILE      its private key, PEM
  --help              this text

Each option can also be set in the environment: WHISPER_PORT, WHISPER_HOST,
WHISPER_DATA, WHISPER_PUBLIC_URL, WHISPER_TLS_CERT, WHISPER_TLS_KEY.
The command line wins.
`;

const NAMES = [
  "port",
  "host",
  "data",
  "public-url",
  "tls-cert",
  "tls-key",
] as const;
type Name = typeof NAMES[number];
type Values = Partial<
  Record<Name, { readonly value: string; readonly source: string }>
>;

const isName = (text: string): text is Name =>
  (NAMES as readonly string[]).includes(text);

export function environmentName(name: Name): string {
  return `WHISPER_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Names of all environment variables that are read. */
export const ENVIRONMENT: readonly string[] = NAMES.map(environmentName);

/**
 * The command that `args` (without the program's name) and the environment ask for.
 * @throws {UsageError}
 */
export function parseCommandLine(
  args: readonly string[],
  environment: (name: string) => string | undefined,
): Command {
  const values: Values = {};
  for (const name of NAMES) {
    const variable = environmentName(name);
    const value = environment(variable);
    if (value) values[name] = { value, source: variable };
  }
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === "--help" || arg === "-h" || arg === "help") {
      return { name: "help" };
    }
    if (!arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!name || !isName(name)) {
      throw new UsageError(`There is no option ${word(arg)}; see --help.`);
    }
    const value = inline ?? args[++at];
    if (!value || (inline === undefined && value.startsWith("--"))) {
      throw new UsageError(`--${name} needs a value.`);
    }
    values[name] = { value, source: `--${name}` };
  }
  if (words.length > 1 || (words[0] ?? "serve") !== "serve") {
    throw new UsageError(
      `There is no command ${JSON.stringify(words.join(" "))}; see --help.`,
    );
  }
  return { name: "serve", options: optionsOf(values) };
}

function optionsOf(values: Values): Options {
  const cert = values["tls-cert"];
  const key = values["tls-key"];
  if (!cert !== !key) {
    const given = cert ?? key;
    throw new UsageError(
      `${given?.source} needs ${cert ? "--tls-key" : "--tls-cert"} beside it.`,
    );
  }
  return {
    port: port(values.port),
    host: host(values.host),
    data: values.data?.value,
    publicUrl: origin(values["public-url"]),
    tls: cert && key ? { cert: cert.value, key: key.value } : undefined,
  };
}

/** Plain words as they are; anything else quoted, so that it stays on one line. */
function word(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}

function port(given: Values[Name]): number {
  if (!given) return 8000;
  const number = /^\d{1,5}$/.test(given.value) ? Number(given.value) : NaN;
  if (number <= 65535) return number;
  throw new UsageError(
    `${given.source} is ${
      JSON.stringify(given.value)
    }; it must be a number from 0 to 65535.`,
  );
}

function host(given: Values[Name]): string {
  if (!given) return "127.0.0.1";
  const bare = given.value.replace(/^\[(.*)\]$/, "$1");
  if (/^[\w.:%-]+$/.test(bare)) return bare;
  throw new UsageError(
    `${given.source} is ${
      JSON.stringify(given.value)
    }; it must be an address or a host name.`,
  );
}

function origin(given: Values[Name]): string | undefined {
  if (!given) return undefined;
  const url = URL.parse(given.value);
  const bare = url && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
    !url.search && !url.hash && !url.username && !url.password;
  if (bare) return url.origin;
  throw new UsageError(
    `${given.source} is ${
      JSON.stringify(given.value)
    }; it must be an origin such as https://whisper.example, without a path.`,
  );
}
