/** The program: from the command line to a server that runs until it is told to stop. */
import { backUp } from "./backup.ts";
import type { Manifest } from "./backup_file.ts";
import {
  type Options,
  parseCommandLine,
  unknownSettings,
} from "./command_line.ts";
import { dataDirectory } from "./data_directory.ts";
import { examine, lineOf } from "./doctor/mod.ts";
import { outliveFaults } from "./faults.ts";
import { help } from "./help.ts";
import { restore, type Restored } from "./restore.ts";
import { type Running, serve, type Site } from "./serve.ts";
import { tellOfOnion } from "./tor/onion_command.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

/** A stop that takes longer than this is cut short. */
const STOP_MS = 5_000;

/**
 * Does what the command line asks. `makeSite` gives what to serve once the options are known.
 * A usage error is one line on stderr and exit code 2.
 */
export async function run(
  args: readonly string[],
  makeSite: (options: Options) => Site | Promise<Site>,
): Promise<void> {
  try {
    const command = parseCommandLine(args, (name) => Deno.env.get(name));
    switch (command.name) {
      case "help":
        return console.log(help(command.of).trimEnd());
      case "version":
        return console.log(`whisper ${VERSION}`);
      case "serve": {
        const { options } = command;
        for (const name of unknownSettings(Object.keys(Deno.env.toObject()))) {
          console.error(`whisper: ${name} is no setting, and is ignored.`);
        }
        const running = await serve(options, await makeSite(options));
        outliveFaults((line) => console.error(line));
        stopOnSignal(running);
        return console.log(welcome(running));
      }
      case "doctor": {
        const found = await examine(command.options);
        console.log(found.map(lineOf).join("\n"));
        if (found.some(({ level }) => level === "failed")) Deno.exit(1);
        return;
      }
      case "backup": {
        const data = dataDirectory(command.data);
        return console.log(
          backedUp(command.to, await backUp(data, command.to)),
        );
      }
      case "onion":
        return console.log(await tellOfOnion(command));
      case "restore": {
        const data = dataDirectory(command.data);
        const { from, force } = command;
        return console.log(restored(data, await restore(from, data, force)));
      }
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`whisper: ${error.message}`);
    Deno.exit(2);
  }
}

function backedUp(file: string, { relayKey, size, format }: Manifest): string {
  return [
    `The backup is in ${file}: ${sizeOf(size)}, format ${format}.`,
    `It holds the key of the relay ${relayKey}: keep it as private as the relay.`,
  ].join("\n");
}

function restored(data: string, { manifest, putAside }: Restored): string {
  return [
    `The backup of ${manifest.made} is in ${data}: ${sizeOf(manifest.size)}.`,
    `It is the relay ${manifest.relayKey}.`,
    ...putAside === undefined ? [] : [
      `What was there before is in ${putAside}: remove it when all is well.`,
    ],
  ].join("\n");
}

function sizeOf(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Where it listens and what to do next. */
export function welcome(
  { origin, publicUrl, data, onion, metrics }: Omit<Running, "stop">,
): string {
  const { protocol, hostname } = new URL(publicUrl);
  const secure = protocol === "https:" || hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname.endsWith(".onion") || hostname === "[::1]" ||
    /^127\./.test(hostname);
  const next = publicUrl !== origin
    ? [`People reach it at ${publicUrl}: pass that on.`]
    : onion
    ? ["Open it in a browser on this machine and create an account."]
    : hostname === "localhost"
    ? [
      "Open it in a browser and create an account. To let other people in, give it an",
      "https address: see --tls-cert or a proxy, and --public-url (--help tells more).",
    ]
    : ["Open it in a browser and create an account."];
  return [
    `Whisper is listening at ${origin}`,
    `Its data is in ${data}`,
    ...metrics === undefined ? [] : [`Its totals are at ${metrics}`],
    ...next,
    ...onion
      ? ["Its onion address is printed here when people can reach it."]
      : [],
    ...secure ? [] : [
      `Browsers refuse to encrypt on pages that come over plain http: ${publicUrl} will only show a notice.`,
    ],
    "Ctrl+C stops it.",
  ].join("\n");
}

function stopOnSignal(running: Running): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) Deno.exit(1);
    stopping = true;
    console.log("Stopping.");
    setTimeout(() => {
      console.error("whisper: stopping took too long and was cut short.");
      Deno.exit(1);
    }, STOP_MS);
    await running.stop();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener(
    Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM",
    stop,
  );
}
