/** Every option there is: what it is called, what it takes, what it does. Parsing, help and README follow this. */
import { LIMIT_OPTIONS } from "./limit_options.ts";
import {
  host,
  hostAndPort,
  hosts,
  origin,
  type Parser,
  personName,
  port,
  text,
} from "./option_values.ts";

export interface OptionText {
  /** What stands for the value in the help; a flag has none. */
  readonly value?: string;
  readonly fallback: string;
  readonly what: string;
  /** Of a limit: why. */
  readonly why?: string;
  /** Can be set in the environment too. */
  readonly environment: boolean;
}

const option = <T>(
  value: string,
  parse: Parser<T>,
  fallback: string,
  what: string,
) => ({ value, parse, fallback, what, environment: true });

/** Of `serve`, and of `doctor`, which looks at what `serve` would use. */
export const SERVE_OPTIONS = {
  port: option(
    "NUMBER",
    port,
    "8000",
    "port to listen on; 0 chooses a free one",
  ),
  host: option(
    "ADDRESS",
    host,
    "127.0.0.1",
    "address to listen on; 0.0.0.0 for all",
  ),
  data: option(
    "DIRECTORY",
    text,
    "this user's data folder, made private",
    "where the relay keeps its database",
  ),
  "public-url": option(
    "URL",
    origin,
    "the address it listens on",
    "the origin people reach this server by, such as https://whisper.example",
  ),
  "tls-cert": option(
    "FILE",
    text,
    "plain http",
    "certificate chain, PEM; together with --tls-key",
  ),
  "tls-key": option(
    "FILE",
    text,
    "plain http",
    "its private key, PEM; together with --tls-cert",
  ),
  access: option(
    "PASSWORD",
    text,
    "for everybody",
    "makes the relay private: who uses it has to know the password",
  ),
  "access-file": option(
    "FILE",
    text,
    "for everybody",
    "the same, read from the first line of a file",
  ),
  "metrics-port": option(
    "NUMBER",
    port,
    "none",
    "port on 127.0.0.1 that gives totals to Prometheus at /metrics",
  ),
  "forward-allow": option(
    "HOSTS",
    hosts,
    "all",
    "the only relays that this one forwards to: relay.example,*.example.org",
  ),
  "forward-deny": option(
    "HOSTS",
    hosts,
    "none",
    "relays that this one does not forward to, whatever is allowed",
  ),
  "tor-control": option(
    "ADDRESS:PORT",
    hostAndPort,
    "starts its own",
    "control port of a tor that runs on this machine, to be used instead",
  ),
  "tor-password-file": option(
    "FILE",
    text,
    "its cookie",
    "the password of that control port, on the first line of a file",
  ),
  "tor-config": option(
    "FILE",
    text,
    "nothing",
    "more lines for the configuration of the tor it starts, such as bridges",
  ),
};

/** Of the same, without a value: given or not; in the environment `yes` or `no`. */
export const SERVE_FLAGS = {
  "no-forward": {
    fallback: "no",
    what: "forwards nothing to other relays; what they forward is taken in",
    environment: true,
  },
  "forward-private": {
    fallback: "no",
    what:
      "forwards also to private addresses, any port and plain http: for relays of one network",
    environment: true,
  },
  "forward-through-tor": {
    fallback: "no",
    what:
      "forwards through Tor only; onion services are reached so in any case",
    environment: true,
  },
  tor: {
    fallback: "no",
    what:
      "makes pages and relay an onion service too, with a tor that it starts",
    environment: true,
  },
};

/** Of the other commands, which say what to do once: not in the environment. */
export const FILE_OPTIONS = {
  to: {
    ...option("FILE", text, "needed", "the backup to write"),
    environment: false,
  },
  from: {
    ...option("FILE", text, "needed", "the backup to read"),
    environment: false,
  },
};

/** Of `onion`. */
export const ONION_OPTIONS = {
  authorise: {
    ...option(
      "NAME",
      personName,
      "nobody",
      "make a key for somebody; with the first one the service is closed to all others",
    ),
    environment: false,
  },
  revoke: {
    ...option("NAME", personName, "nobody", "take somebody's key back"),
    environment: false,
  },
};

/** Of the same, without a value. */
export const ONION_FLAGS = {
  everybody: {
    fallback: "no",
    what: "take all keys back, and let in everybody",
    environment: false,
  },
  "new-circuits": {
    fallback: "no",
    what: "have the running relay's tor take new circuits from now on",
    environment: false,
  },
};

/** Without a value. */
export const FLAGS = {
  ...SERVE_FLAGS,
  ...ONION_FLAGS,
  force: {
    fallback: "no",
    what: "put aside what is in the data directory",
    environment: false,
  },
};

/** All of them by name. */
export const OPTIONS: ReadonlyMap<string, OptionText> = new Map<
  string,
  OptionText
>([
  ...Object.entries(SERVE_OPTIONS),
  ...[...LIMIT_OPTIONS].map(([name, limit]) =>
    [name, { ...limit, environment: true }] as const
  ),
  ...Object.entries(FILE_OPTIONS),
  ...Object.entries(ONION_OPTIONS),
  ...Object.entries(FLAGS),
]);

export interface CommandText {
  readonly usage: string;
  readonly what: string;
  readonly options: readonly string[];
}

const SERVE_NAMES = [
  ...Object.keys(SERVE_OPTIONS),
  ...Object.keys(SERVE_FLAGS),
];
const LIMIT_NAMES = [...LIMIT_OPTIONS.keys()];

export const COMMANDS = {
  serve: {
    usage: "[serve] [options]",
    what: "serves the pages and the relay until it is told to stop",
    options: [...SERVE_NAMES, ...LIMIT_NAMES],
  },
  doctor: {
    usage: "doctor [options of serve]",
    what:
      "checks whether serve with these options would do well here, and says what to do; exit code 1 when something failed",
    options: [...SERVE_NAMES, ...LIMIT_NAMES],
  },
  backup: {
    usage: "backup --to FILE [--data DIRECTORY]",
    what: "copies the relay's data into one file, also while it runs",
    options: ["to", "data"],
  },
  restore: {
    usage: "restore --from FILE [--data DIRECTORY] [--force]",
    what: "makes a data directory from such a file",
    options: ["from", "data", "force"],
  },
  onion: {
    usage: "onion [options]",
    what: "tells the address of the relay's onion service, and who is let in",
    options: [
      "data",
      "tor-control",
      "tor-password-file",
      ...Object.keys(ONION_OPTIONS),
      ...Object.keys(ONION_FLAGS),
    ],
  },
} as const satisfies Record<string, CommandText>;

export type CommandName = keyof typeof COMMANDS;

export const isCommand = (word: string): word is CommandName =>
  Object.hasOwn(COMMANDS, word);

export function environmentName(option: string): string {
  return `WHISPER_${option.toUpperCase().replaceAll("-", "_")}`;
}
