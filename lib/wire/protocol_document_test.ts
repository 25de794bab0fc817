import assert from "node:assert/strict";
import {
  COMMAND_TYPES,
  type CommandType,
  decodeFrame,
  encodeFrame,
  ERROR_CODES,
} from "./mod.ts";

const protocol = await Deno.readTextFile(
  new URL("../../docs/protocol.md", import.meta.url),
);
const section = protocol.slice(
  protocol.indexOf("\n## Relay\n"),
  protocol.indexOf("\n## Envelopes\n"),
);

/** Cells of the rows of the table under a heading. */
function table(heading: string): string[][] {
  const text =
    section.slice(section.indexOf(`\n### ${heading}\n`) + 1).split("\n### ")[0];
  return text.split("\n").filter((line) => line.startsWith("|")).slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("the document lists exactly the commands that the codec knows", () => {
  const listed = table("Commands").map((
    [code, name],
  ) => [name, parseInt(code, 16)]);
  assert.deepEqual(Object.fromEntries(listed), COMMAND_TYPES);
});

Deno.test("the document lists exactly the errors that the codec knows", () => {
  const listed = table("Errors").map(([code, name]) => [name, Number(code)]);
  assert.deepEqual(Object.fromEntries(listed), ERROR_CODES);
});

Deno.test("every example of the document decodes to the commands it shows, and encodes back to the same frame", () => {
  const block = section.split("```wire\n")[1].split("\n```")[0];
  const seen = new Set<CommandType>();
  for (const example of block.split("\n\n")) {
    const [title, ...lines] = example.split("\n");
    const size = Number(/^\[(\d+)\]/.exec(title)?.[1]);
    const frame = new Uint8Array(size);
    frame.set(
      Uint8Array.fromHex(lines.join(" ").split(/\s+/).map(expand).join("")),
    );
    const commands = decodeFrame(frame);
    assert.equal(commands.length, lines.length, title);
    for (const command of commands) {
      assert.match(title, new RegExp(`\\b${command.type}\\b`), title);
      seen.add(command.type);
    }
    assert.deepEqual(encodeFrame(commands), [frame], title);
  }
  assert.ok(seen.size >= 14, `${seen.size} kinds of commands have an example`);
});

/** `aa*32` is 32 times aa. */
function expand(token: string): string {
  const [byte, count] = token.split("*");
  return count === undefined ? byte : byte.repeat(Number(count));
}
