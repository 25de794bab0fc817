import { deepEqual, equal } from "node:assert/strict";
import { freshVisitor } from "../harness/mod.ts";

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
    const visitor = await freshVisitor({ url });
    try {
      const { page } = visitor;
      let loads = 0;
      page.on("load", () => loads++);
      const address = `${url.replace("http", "ws")}/relay`;
      await Promise.all([
        page.waitForEvent(
          "console",
          (message) => message.text() === "[vite] connected.",
        ),
        page.goto(`${url}/chat`),
        page.locator("is-land[data-ready]").waitFor({ state: "attached" }),
      ]);
      await Promise.all([
        page.waitForEvent("websocket", (socket) => socket.url() === address)
          .then((socket) => socket.waitForEvent("framereceived")),
        page.evaluate((at) => void new WebSocket(at), address),
      ]);
      // Vite reloads the page when it comes upon a package that it did not prepare.
      await page.getByRole("button", { name: "Create new account" }).waitFor();
      equal(loads, 1);
      deepEqual(
        visitor.problems.filter((problem) =>
          /security policy|trusted/i.test(problem)
        ),
        [],
      );
    } finally {
      await visitor.close();
    }
  } finally {
    child.kill("SIGINT");
    await child.status;
    await reader.cancel();
    await Deno.remove(dataDir, { recursive: true });
  }
});
