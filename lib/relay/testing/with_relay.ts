import { completeLimits, type Limits } from "../limits.ts";
import { Relay, type RelayOptions } from "../relay.ts";

/** A relay on a KV file of its own, which can be stopped and opened again, with a clock that a test sets. */
export class RelayWorld {
  readonly clock = { now: 1_800_000_000_000 };
  readonly lines: string[] = [];
  readonly path: string;
  relay!: Relay; // set by `open`, before anybody has the world
  #kv: Deno.Kv | undefined;
  readonly #limits: Partial<Limits>;
  readonly #options: Partial<RelayOptions>;

  constructor(
    directory: string,
    limits: Partial<Limits>,
    options: Partial<RelayOptions> = {},
  ) {
    this.path = `${directory}/relay.kv`;
    this.#limits = completeLimits({ workBits: 2, ...limits });
    this.#options = options;
  }

  async open(limits: Partial<Limits> = {}): Promise<Relay> {
    this.#kv = await Deno.openKv(this.path);
    this.relay = await Relay.open({
      kv: this.#kv,
      publicUrl: "http://localhost:8000",
      clock: () => this.clock.now,
      limits: { ...this.#limits, ...limits },
      log: (line) => this.lines.push(line),
      ...this.#options,
    });
    return this.relay;
  }

  async close(): Promise<void> {
    await this.relay.stop();
    this.#kv?.close();
    this.#kv = undefined;
  }

  /** As a power cut does: nothing more is written, and what is on disk is opened again. */
  async crash(): Promise<Relay> {
    const [relay, kv] = [this.relay, this.#kv];
    const copy = `${this.path}.copy`;
    for (const end of ["", "-wal"]) {
      await Deno.copyFile(this.path + end, copy + end);
    }
    await relay.stop();
    kv?.close();
    for (const end of ["", "-wal"]) {
      await Deno.rename(copy + end, this.path + end);
    }
    return await this.open();
  }

  /** As a host does: everything in memory is gone. */
  async restart(limits: Partial<Limits> = {}): Promise<Relay> {
    await this.close();
    return await this.open(limits);
  }
}

/** Runs a test with a relay of its own and leaves nothing behind. */
export async function withRelay(
  run: (world: RelayWorld) => Promise<void>,
  limits: Partial<Limits> = {},
  options: Partial<RelayOptions> = {},
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "whisper-relay-" });
  const world = new RelayWorld(directory, limits, options);
  await world.open();
  try {
    await run(world);
  } finally {
    await world.close();
    await Deno.remove(directory, { recursive: true });
  }
}
