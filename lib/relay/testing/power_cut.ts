import { basename, dirname, join } from "node:path";
import { type Command, decodeFrame } from "../../wire/mod.ts";
import { type Call, momentsOf } from "./strace.ts";

/** Of a file, the part that is on the disk for good, and what was done to it since. */
class File {
  #room = new Uint8Array(4_096);
  #size = 0;
  readonly #since: { at: number; bytes?: Uint8Array }[] = [];

  /** What is on the disk for good, until the next sync. */
  get kept(): Uint8Array {
    return this.#room.subarray(0, this.#size);
  }

  write(at: number, bytes: Uint8Array): void {
    this.#since.push({ at, bytes });
  }

  cut(size: number): void {
    this.#since.push({ at: size });
  }

  /** A sync begins; what it gives makes last what was done before. */
  sync(): () => void {
    const count = this.#since.length;
    return () => {
      for (const { at, bytes } of this.#since.splice(0, count)) {
        if (bytes === undefined) this.#resize(at);
        else {
          this.#resize(Math.max(this.#size, at + bytes.length));
          this.#room.set(bytes, at);
        }
      }
    };
  }

  #resize(size: number): void {
    if (size > this.#room.length) {
      const larger = new Uint8Array(size * 2);
      larger.set(this.kept);
      this.#room = larger;
    }
    this.#room.fill(0, size, this.#size);
    this.#size = size;
  }
}

/** Files of a folder by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Calls whose texts are no paths. */
const WRITES = /^(p?writev?(64|2)?|sendto|sendmsg)$/;

/**
 * A folder on a disk that keeps nothing for which nobody has waited: of a file what was written before a sync that has
 * returned, of names those that were there before such a sync of the folder.
 */
class Disk {
  readonly #folder: string;
  readonly #seen = new Map<string, File>();
  #kept = new Map<string, File>();
  /** What syncs that are under way make last once they are done. */
  readonly #syncing = new Map<Call, () => void>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What it holds when the power comes back. */
  get files(): Files {
    return new Map([...this.#kept].map(([name, { kept }]) => [name, kept]));
  }

  begin(call: Call): void {
    if (call.name !== "fsync" && call.name !== "fdatasync") return;
    if (call.of === this.#folder) {
      const names = new Map(this.#seen);
      this.#syncing.set(call, () => this.#kept = names);
    }
    const file = this.#file(call.of);
    if (file === undefined) return;
    this.#syncing.set(call, file.sync());
  }

  end(call: Call): void {
    const { name, of } = call;
    this.#syncing.get(call)?.();
    this.#syncing.delete(call);
    if (call.opens) {
      const made = this.#name(of);
      if (made === undefined || !call.has("O_CREAT")) return;
      const file = this.#seen.get(made) ?? new File();
      this.#seen.set(made, file);
      if (call.has("O_TRUNC")) file.cut(0);
    } else if (name === "unlink" || name === "unlinkat") {
      const gone = this.#name(call.paths[0]);
      if (gone !== undefined) this.#seen.delete(gone);
    } else if (name === "pwrite64") {
      const file = this.#file(of);
      if (file === undefined) return;
      file.write(call.numbers[2], call.written[0].subarray(0, call.result));
    } else if (name === "ftruncate") {
      this.#file(of)?.cut(call.numbers[1]);
    } else if (name !== "fsync" && name !== "fdatasync") {
      const paths = WRITES.test(name) ? [of] : [of, ...call.paths];
      if (paths.some((path) => this.#name(path) !== undefined)) {
        throw new Error(`it is not known what ${name} does to a disk`);
      }
    }
  }

  #name(path: string | undefined): string | undefined {
    return path !== undefined && dirname(path) === this.#folder
      ? basename(path)
      : undefined;
  }

  #file(path: string | undefined): File | undefined {
    const name = this.#name(path);
    return name === undefined ? undefined : this.#seen.get(name);
  }
}

/**
 * What a relay said to its clients, in order, and what would lie in its folder had the power failed in the moment before
 * it left. `trace` is from when it began, in an empty folder.
 */
export function* saidAndKept(
  trace: string,
  folder: string,
): Generator<{ said: Command; files: Files }> {
  const disk = new Disk(folder);
  for (const { at, call } of momentsOf(trace)) {
    if (at === "end") {
      disk.end(call);
      continue;
    }
    disk.begin(call);
    for (const said of commandsIn(call)) yield { said, files: disk.files };
  }
}

/** The relay's commands that leave on a WebSocket with this call. */
function commandsIn(call: Call): Command[] {
  if (!WRITES.test(call.name) || !call.of?.startsWith("socket:")) return [];
  const commands: Command[] = [];
  const said = new Uint8Array(call.written.flatMap((text) => [...text]));
  // Frames of a server are whole and unmasked, of 512 bytes to 32 KiB; anything else is of HTTP, or closes.
  for (let at = 0; said[at] === 0x82 && said[at + 1] === 126;) {
    const end = at + 4 + (said[at + 2] << 8 | said[at + 3]);
    commands.push(...decodeFrame(said.subarray(at + 4, end)));
    at = end;
  }
  return commands;
}

/** Writes files into a folder that is there. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of files) {
    await Deno.writeFile(join(folder, name), bytes);
  }
}
