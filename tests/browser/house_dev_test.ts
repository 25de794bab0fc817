import { deepEqual } from "node:assert/strict";
import { freshPerson } from "../harness/mod.ts";

Deno.test("deno task dev serves the pages with hot reload and the real relay, under the same strict headers", async () => {
  const dataDir = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "server/dev.ts",
      "--port",
      "0",
      "--data",
      dataDir,
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let said = "";
    while (!said.includes("stops it")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended, saying ${said}`);
      said += value;
    }
    const [, url] = /listening at (http\S+)/.exec(said) ?? [];
    const person = await freshPerson({ url });
    try {
      const { page } = person;
      const connected = page.waitForEvent(
        "console",
        (message) => message.text() === "[vite] connected.",
      );
      const spoken = page.waitForEvent(
        "websocket",
        (socket) => socket.url() === `${url.replace("http", "ws")}/relay`,
      )
        .then((socket) => socket.waitForEvent("framereceived"));
      await page.goto(`${url}/chat`);
      await page.locator("is-land[data-ready]").waitFor({ state: "attached" });
      await connected;
      await page.evaluate(
        (address) => void new WebSocket(address),
        `${url.replace("http", "ws")}/relay`,
      );
      await spoken;
      deepEqual(
        person.problems.filter((problem) =>
          /security policy|trusted/i.test(problem)
        ),
        [],
      );
    } finally {
      await person.close();
    }
  } finally {
    child.kill("SIGINT");
    await child.status;
    await reader.cancel();
    await Deno.remove(dataDir, { recursive: true });
  }
});
