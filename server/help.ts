/** What `--help` says, made from the tables of options. */
import { LIMIT_OPTIONS } from "./limit_options.ts";
import {
  type CommandName,
  COMMANDS,
  environmentName,
  OPTIONS,
} from "./options.ts";

const WIDTH = 80;
const INDENT = 26;

/** The help of the program, or of one command. */
export function help(command?: CommandName): string {
  const { options, what } = COMMANDS[command ?? "serve"];
  // What doctor takes is what serve takes; all of it once is enough.
  const own = command === "doctor" ? [] : options;
  const limits = own.filter((name) => LIMIT_OPTIONS.has(name));
  const others = own.filter((name) => !LIMIT_OPTIONS.has(name));
  const paragraphs = command === undefined
    ? [
      "Whisper: a private messenger. Serves the pages and the relay.",
      usages(Object.keys(COMMANDS) as CommandName[]), // its keys are the names
    ]
    : [wrap(`whisper ${command}: ${what}.`, 0), usages([command])];
  return [
    ...paragraphs,
    ...command === "doctor"
      ? ["Its options are those of serve: see whisper serve --help."]
      : [],
    ...own.length === 0 ? [] : [
      others.map(line).concat(
        command === undefined
          ? [
            entry("--help", "this text; after a command, that command's"),
            entry("--version", "which version this is"),
          ]
          : [],
      ).join("\n"),
    ],
    ...command === undefined
      ? [
        wrap(
          "whisper serve --help tells the limits of the relay too, each with its default and its reason.",
          0,
        ),
      ]
      : limits.length === 0
      ? []
      : [
        wrap(
          "Limits, each with its default. A SIZE is bytes, or 512KiB, 16MiB, 4GiB; a TIME is seconds, or 90s, 5m, 12h, 21d.",
          0,
        ),
        limits.map(line).join("\n"),
      ],
    ...options.some((name) => OPTIONS.get(name)?.environment)
      ? [
        wrap(
          `Each option that serve knows can also be set in the environment: ${
            environmentName("public-url")
          } for --public-url, and so on. The command line wins.`,
          0,
        ),
      ]
      : [],
  ].join("\n\n") + "\n";
}

function usages(commands: readonly CommandName[]): string {
  const lines = commands.flatMap((name) => [
    `whisper ${COMMANDS[name].usage}`,
    ...commands.length > 1 ? [`    ${wrap(COMMANDS[name].what, 11)}`] : [],
  ]);
  return `Usage: ${lines.join("\n       ")}`;
}

function line(name: string): string {
  // Commands name options of the table only.
  const { value, what, why, fallback } = OPTIONS.get(name)!;
  const reason = why === undefined ? "" : `: ${why}`;
  return entry(
    value === undefined ? `--${name}` : `--${name} ${value}`,
    // That a switch is off without it needs no word.
    value === undefined
      ? `${what}${reason}`
      : `${what}${reason} (default: ${fallback})`,
  );
}

function entry(left: string, right: string): string {
  const start = `  ${left}`;
  const text = " ".repeat(INDENT) + wrap(right, INDENT);
  return start.length < INDENT - 1
    ? start + text.slice(start.length)
    : `${start}\n${text}`;
}

/** Lines of at most `WIDTH`, all but the first indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current !== "" && indent + current.length + 1 + word.length > WIDTH) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current].join(`\n${" ".repeat(indent)}`);
}
