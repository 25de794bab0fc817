/** A directory authority of a private Tor network, and its keys. */
import { join } from "node:path";

/** Debian's tor, or what TOR names. */
export function torPath(): string {
  return Deno.env.get("TOR") ?? "/usr/bin/tor";
}

/** Where the keys of authorities wait for the next run: making them takes long, and they are nobody's. */
function keyCache(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  return join(cache, "whisper-tests", "tor-authorities");
}

export interface Authority {
  readonly name: string;
  readonly directory: string;
  readonly orPort: number;
  readonly dirPort: number;
}

/** Puts keys into the authority's directory, and gives the line by which others know it. */
export async function authorityLine(authority: Authority): Promise<string> {
  const { name, directory, orPort, dirPort } = authority;
  const kept = join(keyCache(), name);
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  if (!await copy(kept, directory)) {
    await makeKeys(authority);
    await Deno.mkdir(keyCache(), { recursive: true });
    const fresh = await Deno.makeTempDir({ dir: keyCache() });
    await copy(directory, fresh);
    // Another run may have been faster; its keys are as good.
    await Deno.rename(fresh, kept).catch(() =>
      Deno.remove(fresh, { recursive: true })
    );
  }
  const read = (file: string) => Deno.readTextFile(join(directory, file));
  const [, identity] =
    /^fingerprint (\S+)/m.exec(await read("keys/authority_certificate")) ?? [];
  const [, fingerprint] = (await read("fingerprint")).trim().split(" ");
  return `DirAuthority ${name} orport=${orPort} no-v2 v3ident=${identity} 127.0.0.1:${dirPort} ${fingerprint}`;
}

async function makeKeys(
  { name, directory, dirPort }: Authority,
): Promise<void> {
  const keys = join(directory, "keys");
  await Deno.mkdir(keys, { mode: 0o700 });
  await run("tor-gencert", [
    ...["--create-identity-key", "--passphrase-fd", "0"],
    ...["-i", join(keys, "authority_identity_key")],
    ...["-s", join(keys, "authority_signing_key")],
    ...["-c", join(keys, "authority_certificate")],
    ...["-m", "12", "-a", `127.0.0.1:${dirPort}`],
  ], "of a test\n");
  const empty = join(directory, "empty");
  await Deno.writeTextFile(empty, "");
  await run(torPath(), [
    ...["-f", empty, "--defaults-torrc", empty, "--quiet"],
    ...["--list-fingerprint", "--DataDirectory", directory],
    ...["--Nickname", name, "--ORPort", "1", "--Address", "127.0.0.1"],
    ...["--DirAuthority", `x 127.0.0.1:1 ${"f".repeat(40)}`],
  ]);
}

/** Copies keys and fingerprint; false when there are none. */
async function copy(from: string, to: string): Promise<boolean> {
  const { success } = await new Deno.Command("cp", {
    args: ["-a", join(from, "keys"), join(from, "fingerprint"), to],
    stderr: "null",
  }).output();
  return success;
}

async function run(
  command: string,
  args: readonly string[],
  input = "",
): Promise<void> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (success) return;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  throw new Error(`${command}: ${text(stdout)}${text(stderr)}`);
}
