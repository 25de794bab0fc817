import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { decodeFrame, parseHello } from "../lib/wire/mod.ts";
import { compileArguments } from "../server/compile.ts";
import { makeSingleFile } from "../server/single_file.ts";
import { PROGRAM, startExecutable } from "./harness/mod.ts";

/** Starts an executable in an empty directory with an empty home, speaks to it, and stops it. */
async function startsAndSpeaks(executable: string): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    const { url, said, stop } = await startExecutable(executable, home);
    try {
      match(said, new RegExp(`Its data is in ${home}/`));
      match(await (await fetch(`${url}/chat`)).text(), /^<!doctype html>/);
      const socket = new WebSocket(`${url.replace("http", "ws")}/relay`);
      socket.binaryType = "arraybuffer";
      const { data } = await new Promise<MessageEvent<ArrayBuffer>>(
        (resolve, reject) => {
          socket.onmessage = resolve;
          socket.onerror = () => reject(new Error("the socket failed"));
        },
      );
      const [hello] = decodeFrame(new Uint8Array(data));
      if (hello.type !== "HELLO") {
        throw new Error(`it said ${hello.type} first`);
      }
      equal((await parseHello(hello.body)).url, url);
      socket.close();
    } finally {
      equal(await stop(), 0);
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("the offline executable starts from an empty directory, serves the pages and speaks", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const executable = join(folder, "whisper");
    await makeSingleFile(PROGRAM, executable);
    await startsAndSpeaks(executable);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function compile(
  output: string,
  env: Record<string, string>,
): Promise<{ success: boolean; said: string }> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: compileArguments(output),
    env: { NO_COLOR: "1", ...env },
  }).output();
  return { success, said: new TextDecoder().decode(stderr) };
}

Deno.test("the native executable holds the built program and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // Deno itself stands in for the runtime part that has to be downloaded: what is embedded is the same.
    const { success, said } = await compile(join(folder, "whisper"), {
      DENORT_BIN: Deno.execPath(),
    });
    equal(success, true, said);
    match(said, /Embedded Files\n\nwhisper\n└── main\.mjs \([\d.]+[KM]B\)\n/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const folder = await Deno.makeTempDir();
const native = await compile(join(folder, "whisper"), {});
const unreachable =
  /dl\.deno\.land[^]*(dns error|client error|Connect|timed out)/.test(
    native.said,
  );

Deno.test({
  name:
    `the native executable starts from an empty directory, serves the pages and speaks` +
    (unreachable
      ? " (Deno's download server, which compiling needs, can't be reached from here)"
      : ""),
  ignore: unreachable,
  fn: async () => {
    equal(native.success, true, native.said);
    await startsAndSpeaks(join(folder, "whisper"));
  },
});

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
