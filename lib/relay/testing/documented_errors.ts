/** Which errors the document says may answer which command: what a relay of a test answers besides is a fault of one of the two. */
import type { ErrorName } from "../../wire/mod.ts";

/** A command, as far as the document tells it from others. */
type Asked = { type: string; about?: keyof typeof ABOUT };

/** How the document numbers what commands of one type are about. */
const ABOUT = {
  blob: 0,
  chunk: 1,
  pool: 2,
  bundles: 3,
  greet: 0,
  to: 1,
  here: 2,
} as const;

/** What any command may be told when the relay has no time or room for it. */
const ANY: readonly string[] = ["rate", "busy"];

/** By the command's name, with its number where there are several. */
export const DOCUMENTED_ERRORS: ReadonlyMap<string, readonly string[]> =
  tableOf(Deno.readTextFileSync(
    new URL("../../../docs/protocol.md", import.meta.url),
  ));

function tableOf(protocol: string): Map<string, string[]> {
  const section = protocol.split("\n### What answers what\n")[1]
    .split("\n### ")[0];
  const rows = section.split("\n").filter((line) => line.startsWith("|"))
    .slice(2).map((line) =>
      line.split("|").slice(1, -1)
        .map((cell) => cell.split(",").map((word) => word.trim()))
    );
  return new Map(
    rows.flatMap(([commands, errors]) =>
      commands.map((name): [string, string[]] => [name, errors])
    ),
  );
}

/** What the document calls a command. */
export function documentedName({ type, about }: Asked): string {
  return about === undefined ? type : `${type} ${ABOUT[about]}`;
}

/** Whether the document knows this answer to a command of a connection. */
export function isDocumented(asked: Asked, code: ErrorName): boolean {
  const errors = DOCUMENTED_ERRORS.get(documentedName(asked));
  return ANY.includes(code) || errors?.includes(code) === true;
}

/** The same of an answer that was sealed. */
export function isDocumentedSealed(asked: Asked, code: ErrorName): boolean {
  return code === "unsupported" || isDocumented(asked, code);
}
