/** Who we are, to a control port: by its cookie, without showing it, or by a password. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { timingSafeEqual } from "node:crypto";
import { ControlError } from "./control_error.ts";
import type { ControlPort } from "./control_port.ts";
import { quoted, wordsOf } from "./control_words.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const SERVER = encode(
  "Tor safe cookie authentication server-to-controller hash",
);
const CLIENT = encode(
  "Tor safe cookie authentication controller-to-server hash",
);
const COOKIE = 32;

/**
 * Makes the control port take commands, and gives Tor's version. A cookie is shown to nobody who does not
 * know it: Tor proves first that it does.
 * @throws {ControlError} when it lets us in by none of its ways.
 */
export async function authenticate(
  control: ControlPort,
  password?: string,
): Promise<string> {
  const info = await control.command("PROTOCOLINFO 1");
  const said = (first: string) =>
    wordsOf(info.find((line) => line.startsWith(`${first} `)) ?? "");
  const auth = said("AUTH").values;
  const methods = auth.get("METHODS")?.split(",") ?? [];
  const cookieFile = auth.get("COOKIEFILE");
  if (password !== undefined && methods.includes("HASHEDPASSWORD")) {
    await letIn(control, quoted(password), "it does not take the password");
  } else if (methods.includes("SAFECOOKIE") && cookieFile !== undefined) {
    await byCookie(control, await readCookie(cookieFile));
  } else if (methods.includes("NULL")) {
    await letIn(control, "", "it lets nobody in");
  } else {
    throw new ControlError(
      "the control port wants a password: see --tor-password-file",
    );
  }
  return said("VERSION").values.get("Tor") ?? "";
}

async function byCookie(
  control: ControlPort,
  cookie: Uint8Array,
): Promise<void> {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const [line] = await control.command(
    `AUTHCHALLENGE SAFECOOKIE ${nonce.toHex()}`,
  );
  const { values } = wordsOf(line);
  const theirs = bytes(values.get("SERVERNONCE"));
  const proof = (key: Uint8Array) =>
    hmac.create(sha256, key).update(cookie).update(nonce).update(theirs)
      .digest();
  const shown = bytes(values.get("SERVERHASH"));
  const expected = proof(SERVER);
  if (
    shown.length !== expected.length || !timingSafeEqual(shown, expected)
  ) throw new ControlError("the control port does not know its own cookie");
  await letIn(
    control,
    proof(CLIENT).toHex(),
    "the control port does not take its cookie",
  );
}

async function letIn(
  control: ControlPort,
  proof: string,
  refusal: string,
): Promise<void> {
  try {
    await control.command(
      proof === "" ? "AUTHENTICATE" : `AUTHENTICATE ${proof}`,
    );
  } catch (error) {
    if (error instanceof ControlError && error.code === 515) {
      throw new ControlError(refusal);
    }
    throw error;
  }
}

async function readCookie(file: string): Promise<Uint8Array> {
  let cookie: Uint8Array;
  try {
    cookie = await Deno.readFile(file);
  } catch {
    throw new ControlError(
      `this user can't read the control port's cookie, ${file}`,
    );
  }
  // Anything else at a place that the other side names is nothing to compute with.
  if (cookie.length === COOKIE) return cookie;
  throw new ControlError(`the file ${file} is no cookie of a control port`);
}

function bytes(hex: string | undefined): Uint8Array {
  try {
    return Uint8Array.fromHex(hex ?? "");
  } catch {
    throw new ControlError("the control port's challenge makes no sense");
  }
}
