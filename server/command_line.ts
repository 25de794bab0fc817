/** The command line and the environment, parsed once into a command or one line that says what is wrong. */
import { completeLimits, LimitError, type Limits } from "../lib/relay/mod.ts";
import { LIMIT_OPTIONS } from "./limit_options.ts";
import { type Parser, ValueError, yesOrNo } from "./option_values.ts";
import {
  type CommandName,
  COMMANDS,
  environmentName,
  FILE_OPTIONS,
  FLAGS,
  isCommand,
  ONION_FLAGS,
  ONION_OPTIONS,
  OPTIONS,
  SERVE_OPTIONS,
} from "./options.ts";
import { UsageError } from "./usage_error.ts";

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
  /** The password of a private relay, or the path of the file that holds it. */
  readonly access?: { readonly password: string } | { readonly file: string };
  /** Loopback port for totals; undefined for none. */
  readonly metricsPort?: number;
  /** How it forwards to other relays; undefined when it does not. */
  readonly forward?: Forwarding;
  /** How Tor is used; undefined for not at all. */
  readonly tor?: TorOptions;
  /** Those that are not the relay's defaults. */
  readonly limits: Partial<Limits>;
}

export interface Forwarding {
  /** Hosts, see HostRules of lib/relay; undefined for all. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** Also to private addresses. */
  readonly private: boolean;
  /** Through Tor, whatever it is; an onion service is reached so in any case. */
  readonly throughTor: boolean;
}

export interface TorOptions {
  /** Whether pages and relay become an onion service. */
  readonly publish: boolean;
  /** Control port of a Tor that runs; undefined to start one. */
  readonly running?: { readonly host: string; readonly port: number };
  /** Path of a file that begins with the password of that port. */
  readonly passwordFile?: string;
  /** Path of a file with more configuration for the one that is started. */
  readonly configFile?: string;
}

/** What is to be done about the onion service; at least, it is told of. */
export type OnionTask =
  | { readonly do: "tell" | "everybody" | "new-circuits" }
  | { readonly do: "authorise" | "revoke"; readonly person: string };

export type Command =
  | { readonly name: "serve" | "doctor"; readonly options: Options }
  | { readonly name: "backup"; readonly data?: string; readonly to: string }
  | {
    readonly name: "restore";
    readonly data?: string;
    readonly from: string;
    readonly force: boolean;
  }
  | {
    readonly name: "onion";
    readonly data?: string;
    readonly task: OnionTask;
    /** Of the tor that is to take new circuits, when it is not the relay's own. */
    readonly tor: Pick<TorOptions, "running" | "passwordFile">;
  }
  | { readonly name: "help"; readonly of?: CommandName }
  | { readonly name: "version" };

type Given = { readonly value: string; readonly source: string };
type Values = ReadonlyMap<string, Given>;

/**
 * The command that `args` (without the program's name) and the environment ask for.
 * @throws {UsageError}
 */
export function parseCommandLine(
  args: readonly string[],
  environment: (name: string) => string | undefined,
): Command {
  const { words, values, help, version } = split(args);
  if (version && !help) return { name: "version" };
  if (words[0] === "help") words.shift();
  const [command = "serve", ...rest] = words;
  if (!isCommand(command)) {
    throw new UsageError(
      `There is no command ${JSON.stringify(words.join(" "))}; see --help.`,
    );
  }
  if (rest.length > 0) {
    throw new UsageError(
      `${command} does not take ${
        JSON.stringify(rest.join(" "))
      }; use: whisper ${COMMANDS[command].usage}`,
    );
  }
  if (help) {
    return { name: "help", of: words.length === 0 ? undefined : command };
  }
  const known: readonly string[] = COMMANDS[command].options;
  for (const name of values.keys()) {
    if (!known.includes(name)) {
      throw new UsageError(
        `${command} has no option --${name}; see whisper ${command} --help.`,
      );
    }
  }
  return commandOf(command, withEnvironment(values, known, environment));
}

/** Variables that look like settings of this program and are none, as when one is misspelt. */
export function unknownSettings(variables: readonly string[]): string[] {
  const known = new Set(
    [...OPTIONS].filter(([, { environment }]) => environment)
      .map(([name]) => environmentName(name)),
  );
  return variables.filter((name) =>
    name.startsWith("WHISPER_") && !known.has(name)
  ).sort();
}

function split(
  args: readonly string[],
): {
  words: string[];
  values: Map<string, Given>;
  help: boolean;
  version: boolean;
} {
  const values = new Map<string, Given>();
  const words: string[] = [];
  let help = args[0] === "help";
  let version = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === "--help" || arg === "-h") {
      help = true;
      continue;
    }
    if (arg === "--version") {
      version = true;
      continue;
    }
    if (!arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!name || !OPTIONS.has(name)) {
      throw new UsageError(
        `There is no option ${word(arg.replace(/=.*/s, ""))}; see --help.`,
      );
    }
    const source = `--${name}`;
    if (Object.hasOwn(FLAGS, name)) {
      if (inline !== undefined) {
        throw new UsageError(`${source} takes no value.`);
      }
      values.set(name, { value: "yes", source });
      continue;
    }
    const value = inline ?? args[++at];
    // What is asked for is help, wherever it stands.
    if (inline === undefined && value === "--help") {
      help = true;
      continue;
    }
    if (!value || (inline === undefined && value.startsWith("--"))) {
      throw new UsageError(`${source} needs a value.`);
    }
    values.set(name, { value, source });
  }
  return { words, values, help, version };
}

function withEnvironment(
  values: Values,
  known: readonly string[],
  environment: (name: string) => string | undefined,
): Values {
  const all = new Map(values);
  for (const name of known) {
    if (all.has(name) || !OPTIONS.get(name)?.environment) continue;
    const source = environmentName(name);
    const value = environment(source);
    if (value) all.set(name, { value, source });
  }
  return all;
}

function commandOf(name: CommandName, values: Values): Command {
  switch (name) {
    case "serve":
    case "doctor":
      return { name, options: optionsOf(values) };
    case "backup":
      return { name, data: values.get("data")?.value, to: file("to", values) };
    case "restore":
      return {
        name,
        data: values.get("data")?.value,
        from: file("from", values),
        force: values.has("force"),
      };
    case "onion":
      return {
        name,
        data: values.get("data")?.value,
        task: onionTaskOf(values),
        tor: {
          running: parsed(
            values.get("tor-control"),
            SERVE_OPTIONS["tor-control"].parse,
          ),
          passwordFile: values.get("tor-password-file")?.value,
        },
      };
  }
}

function optionsOf(values: Values): Options {
  const cert = values.get("tls-cert");
  const key = values.get("tls-key");
  if (!cert !== !key) {
    const given = cert ?? key;
    throw new UsageError(
      `${given?.source} needs ${cert ? "--tls-key" : "--tls-cert"} beside it.`,
    );
  }
  const { port, host, "public-url": publicUrl, "metrics-port": metrics } =
    SERVE_OPTIONS;
  return {
    port: parsed(values.get("port"), port.parse) ?? 8000,
    host: parsed(values.get("host"), host.parse) ?? "127.0.0.1",
    data: values.get("data")?.value,
    publicUrl: parsed(values.get("public-url"), publicUrl.parse),
    tls: cert && key ? { cert: cert.value, key: key.value } : undefined,
    access: accessOf(values.get("access"), values.get("access-file")),
    metricsPort: parsed(values.get("metrics-port"), metrics.parse),
    forward: forwardingOf(values),
    tor: torOf(values),
    limits: limitsOf(values),
  };
}

function forwardingOf(values: Values): Forwarding | undefined {
  const { "forward-allow": allow, "forward-deny": deny } = SERVE_OPTIONS;
  if (parsed(values.get("no-forward"), yesOrNo)) return undefined;
  return {
    allow: parsed(values.get("forward-allow"), allow.parse),
    deny: parsed(values.get("forward-deny"), deny.parse),
    private: parsed(values.get("forward-private"), yesOrNo) ?? false,
    throughTor: parsed(values.get("forward-through-tor"), yesOrNo) ?? false,
  };
}

function onionTaskOf(values: Values): OnionTask {
  const given = Object.keys({ ...ONION_OPTIONS, ...ONION_FLAGS })
    .filter((name) => values.has(name));
  if (given.length > 1) {
    throw new UsageError(
      `--${given[0]} and --${given[1]} are both given: one at a time.`,
    );
  }
  const { authorise, revoke } = ONION_OPTIONS;
  const person = parsed(values.get("authorise"), authorise.parse);
  if (person !== undefined) return { do: "authorise", person };
  const former = parsed(values.get("revoke"), revoke.parse);
  if (former !== undefined) return { do: "revoke", person: former };
  if (values.has("everybody")) return { do: "everybody" };
  return { do: values.has("new-circuits") ? "new-circuits" : "tell" };
}

function torOf(values: Values): Options["tor"] {
  const control = values.get("tor-control");
  const password = values.get("tor-password-file");
  const config = values.get("tor-config");
  const publish = parsed(values.get("tor"), yesOrNo) ?? false;
  if (!publish && !forwardingOf(values)?.throughTor) {
    const alone = control ?? password ?? config;
    if (alone === undefined) return undefined;
    throw new UsageError(
      `${alone.source} needs --tor or --forward-through-tor beside it.`,
    );
  }
  if (password && !control) {
    throw new UsageError(`${password.source} needs --tor-control beside it.`);
  }
  if (config && control) {
    throw new UsageError(
      `${config.source} is for a tor that is started, and ${control.source} names one that runs.`,
    );
  }
  return {
    publish,
    running: parsed(control, SERVE_OPTIONS["tor-control"].parse),
    passwordFile: password?.value,
    configFile: config?.value,
  };
}

function accessOf(
  password: Given | undefined,
  file: Given | undefined,
): Options["access"] {
  if (password && file) {
    throw new UsageError(
      `${password.source} and ${file.source} are both given: one is enough.`,
    );
  }
  if (file) return { file: file.value };
  return password && { password: password.value };
}

/** All of them together: what one may be, another one can decide. */
function limitsOf(values: Values): Partial<Limits> {
  const limits: Partial<Limits> = {};
  const given = new Map<keyof Limits, Given>();
  for (const [name, { limit, parse }] of LIMIT_OPTIONS) {
    const one = values.get(name);
    const value = parsed(one, parse);
    if (one === undefined || value === undefined) continue;
    given.set(limit, one);
    limits[limit] = value;
  }
  try {
    completeLimits(limits);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    const named = error.limits.flatMap((limit) => given.get(limit) ?? [])
      .map(({ source, value }) => `${source} is ${JSON.stringify(value)}`);
    throw new UsageError(`${named.join(" and ")}: ${error.message}.`);
  }
  return limits;
}

function parsed<T>(given: Given | undefined, parse: Parser<T>): T | undefined {
  if (given === undefined) return undefined;
  try {
    return parse(given.value);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(
      `${given.source} is ${
        JSON.stringify(given.value)
      }; it must be ${error.message}.`,
    );
  }
}

function file(name: keyof typeof FILE_OPTIONS, values: Values): string {
  const given = values.get(name);
  if (given !== undefined) return given.value;
  throw new UsageError(`--${name} is needed: ${FILE_OPTIONS[name].what}.`);
}

/** Plain words as they are; anything else quoted, so that it stays on one line. */
function word(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
