import { deepEqual, equal, rejects } from "node:assert/strict";
import { ControlPort } from "./control_port.ts";
import { type PlayedPort, playPort } from "./testing/played_port.ts";

async function withPort(
  answer: Parameters<typeof playPort>[0],
  use: (control: ControlPort, port: PlayedPort) => Promise<void>,
): Promise<void> {
  const port = playPort(answer);
  const control = await ControlPort.connect(port.at);
  try {
    await use(control, port);
  } finally {
    control.close();
    port.close();
  }
}

Deno.test("commands said at once get their own answers, with events in between", () =>
  withPort(
    (line) => `650 CIRC ${line}\r\n250-${line}\r\n250 OK`,
    async (control) => {
      const events: string[] = [];
      control.listen((event) => events.push(event));
      const answers = await Promise.all(
        ["ONE", "TWO", "THREE"].map((line) => control.command(line)),
      );
      deepEqual(answers, [["ONE", "OK"], ["TWO", "OK"], ["THREE", "OK"]]);
      deepEqual(events, ["CIRC ONE", "CIRC TWO", "CIRC THREE"]);
    },
  ));

Deno.test("a refusal says what was refused, but not what else was said: that may be a secret", () =>
  withPort(() => "512 Bad arguments", async (control) => {
    await rejects(control.command("ADD_ONION ED25519-V3:secret"), {
      name: "ControlError",
      message: "ADD_ONION was refused: 512 Bad arguments",
      code: 512,
    });
  }));

Deno.test("no command holds another one", () =>
  withPort(() => "250 OK", async (control, { heard }) => {
    for (const line of ["GETINFO a\r\nSIGNAL HALT", "A\nB", "A\rB"]) {
      await rejects(control.command(line), RangeError);
    }
    await control.command("PING");
    deepEqual(heard, ["PING"]);
  }));

Deno.test("who waits hears that the connection ended, and so does who asks later", () =>
  withPort((line) => line === "LAST" ? null : undefined, async (control) => {
    const waiting = control.command("WAIT");
    const last = control.command("LAST");
    const ended = { message: "the control port closed the connection" };
    await Promise.all([rejects(waiting, ended), rejects(last, ended)]);
    await control.ended;
    await rejects(control.command("LATER"), ended);
  }));

Deno.test("who does not answer for too long is hung up on", async () => {
  const port = playPort(() => undefined);
  const control = await ControlPort.connect(port.at, 20);
  await rejects(control.command("PROTOCOLINFO 1"), {
    message: "the control port does not answer",
  });
  await control.ended;
  port.close();
});

Deno.test("what answers unasked, or is no control port, is hung up on", async () => {
  for (const said of ["250 OK\r\n250 OK\r\n250 OK", "SSH-2.0-OpenSSH_9.2"]) {
    await withPort(() => said, async (control) => {
      await control.command("HELLO").catch((error) =>
        equal(error.message, "what answers there is no control port")
      );
      await control.ended;
    });
  }
});

Deno.test("where nothing listens, that is said", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await rejects(ControlPort.connect({ host: "127.0.0.1", port }), {
    message: "the control port refuses connections",
  });
});
