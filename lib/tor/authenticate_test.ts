import { deepEqual, equal, match } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { authenticate } from "./authenticate.ts";
import { ControlPort } from "./control_port.ts";
import { quoted } from "./control_words.ts";
import { playPort } from "./testing/played_port.ts";

const SERVER = "Tor safe cookie authentication server-to-controller hash";
const CLIENT = "Tor safe cookie authentication controller-to-server hash";
const NONCE = crypto.getRandomValues(new Uint8Array(32));

/** A control port that knows `cookie`, as control-spec has it; computed with another library than ours. */
function keeper(cookie: Uint8Array, cookieFile: string) {
  let expected = "";
  const proof = (key: string, client: string) =>
    createHmac("sha256", key).update(cookie).update(
      Uint8Array.fromHex(client),
    ).update(NONCE).digest("hex");
  return (line: string) => {
    const [command, ...words] = line.split(" ");
    switch (command) {
      case "PROTOCOLINFO":
        return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=${
          quoted(cookieFile)
        }\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK`;
      case "AUTHCHALLENGE":
        expected = proof(CLIENT, words[1]);
        return `250 AUTHCHALLENGE SERVERHASH=${
          proof(SERVER, words[1]).toUpperCase()
        } SERVERNONCE=${NONCE.toHex().toUpperCase()}`;
      default:
        return words[0]?.toLowerCase() === expected ? "250 OK" : "515 No";
    }
  };
}

/** The outcome of authenticating there, and what the port heard. */
async function outcome(
  answer: Parameters<typeof playPort>[0],
  password?: string,
): Promise<{ version?: string; error?: string; heard: readonly string[] }> {
  const port = playPort(answer);
  const control = await ControlPort.connect(port.at);
  try {
    const version = await authenticate(control, password);
    return { version, heard: port.heard };
  } catch (error) {
    return { error: String(error), heard: port.heard };
  } finally {
    control.close();
    port.close();
  }
}

async function withCookie(
  size: number,
  use: (cookie: Uint8Array<ArrayBuffer>, file: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const file = join(folder, 'a "cookie"');
  const cookie = crypto.getRandomValues(new Uint8Array(size));
  await Deno.writeFile(file, cookie);
  try {
    await use(cookie, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("who can read the cookie is let in, and the cookie itself is never said", () =>
  withCookie(32, async (cookie, file) => {
    const { version, heard } = await outcome(keeper(cookie, file));
    equal(version, "0.4.9.11");
    equal(heard.join("").toLowerCase().includes(cookie.toHex()), false);
  }));

Deno.test("a port that does not know the cookie itself learns no proof of it", () =>
  withCookie(32, async (_, file) => {
    const other = crypto.getRandomValues(new Uint8Array(32));
    const { error, heard } = await outcome(keeper(other, file));
    match(String(error), /does not know its own cookie/);
    deepEqual(heard.map((line) => line.split(" ")[0]), [
      "PROTOCOLINFO",
      "AUTHCHALLENGE",
    ]);
  }));

Deno.test("a port that names another file for its cookie is answered nothing made of it", () =>
  withCookie(33, async (secret, file) => {
    const { error, heard } = await outcome(keeper(secret, file));
    match(String(error), /is no cookie of a control port/);
    equal(heard.length, 1);
    match(
      String((await outcome(keeper(secret, `${file}/none`))).error),
      /this user can't read the control port's cookie/,
    );
  }));

Deno.test("a password is said as it is, to who asks for one; a wrong one is not shown", async () => {
  const secret = 'pass "word" \\ of mine';
  const asking = (right: boolean) => (line: string) =>
    line.startsWith("PROTOCOLINFO")
      ? '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=HASHEDPASSWORD\r\n250-VERSION Tor="0.4.8.1"\r\n250 OK'
      : right
      ? "250 OK"
      : "515 Authentication failed";
  const { version, heard } = await outcome(asking(true), secret);
  equal(version, "0.4.8.1");
  equal(heard[1], String.raw`AUTHENTICATE "pass \"word\" \\ of mine"`);
  const { error } = await outcome(asking(false), secret);
  equal(error, "ControlError: it does not take the password");
  match(
    String((await outcome(asking(true))).error),
    /wants a password: see --tor-password-file/,
  );
});

Deno.test("a port that says nonsense is refused, not believed", () =>
  withCookie(32, async (cookie, file) => {
    const honest = keeper(cookie, file);
    for (
      const nonsense of [
        "250 AUTHCHALLENGE",
        "250 AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=xyz",
        "250 OK",
      ]
    ) {
      const { error } = await outcome((line) =>
        line.startsWith("AUTHCHALLENGE") ? nonsense : honest(line)
      );
      match(String(error), /ControlError/);
    }
  }));
