/** A relay and people with devices, all in one process, where a test says what happens when. */
import { setImmediate } from "node:timers";
import { type MemorySocket, memorySocketPair, Relay } from "../../relay/mod.ts";
// What is fetched on demand is here from the beginning: how long a disk takes is not to count as quiet.
import "../admission_proof.ts";
import "../backup/on_demand.ts";
import "../devices/on_demand.ts";
import "../export.ts";
import "../forward/mod.ts";
import "../invites.ts";
import "../names.ts";
import "../pool/on_demand.ts";
import "../prekey_bundle.ts";
import "../safety_code.ts";
import "../sessions.ts";
import { MemoryDialler } from "../../relay/testing/memory_dialler.ts";
import { countQueues } from "../../relay/testing/journaled.ts";
import type { Clock } from "../clock.ts";
import type { Socket, SocketEvents, Transport } from "../link/mod.ts";
import { unknownNetwork } from "../link/mod.ts";
import { Messenger } from "../messenger.ts";
import type { Random } from "../random.ts";
import {
  MemoryDisk,
  MemoryTabs,
  StorageUnavailableError,
} from "../storage/mod.ts";
import type { Phase } from "../view.ts";
import { isComputing } from "./other_threads.ts";
import { quickStretch, TestPasskeys } from "./test_secrets.ts";
import { TestClock } from "./test_clock.ts";

/** Timers within this are let fire when nothing else happens, in ms of the world's time. */
const HORIZON_MS = 5_000;
/** Turns of the event loop without anything happening before time moves on. */
const QUIET_TURNS = 3;
/** Turns after which time moves on to whatever comes next. */
const VERY_QUIET_TURNS = 200;
/** Quiet that counts as rest, in ms of real time. What other threads do is counted, and never quiet. */
const REST_MS = 2;
/** What can't come about in this much real time won't, in ms. */
const PATIENCE_MS = 30_000;

/** Where the relay is that people are at, unless they are at another. */
export const HOME = "https://relay.example";

export class World {
  readonly clock = new TestClock();
  /** How relays reach each other, and what goes between them. */
  readonly dialler = new MemoryDialler();
  /** Relays beside the one that people are at, by URL. */
  readonly #others = new Map<
    string,
    { readonly kv: Deno.Kv; relay: Relay | undefined }
  >();
  readonly kv: Deno.Kv;
  /** What the relay is reading or writing. */
  #storing = 0;
  readonly #people = new Set<Person>();
  relay: Relay | undefined;
  /** The relay's password, from its next start. */
  access: string | undefined;
  /** Whether relays say that they forward through Tor only, from their next start. */
  throughTor = false;
  #restarting: Promise<void> = Promise.resolve();
  /** Frames and commits so far, of everybody. */
  activity = 0;

  private constructor(kv: Deno.Kv) {
    this.kv = kv;
    this.dialler.onFrame = () => this.activity++;
  }

  static async open(access?: string): Promise<World> {
    const world = new World(await Deno.openKv(":memory:"));
    world.access = access;
    await world.startRelay();
    return world;
  }

  async startRelay(): Promise<void> {
    this.relay = await this.#open(HOME, this.kv, this.access);
  }

  /** Starts another relay, on what it had on disk if it was there before. */
  async startOther(url: string): Promise<void> {
    const kv = this.#others.get(url)?.kv ?? await Deno.openKv(":memory:");
    this.#others.set(url, { kv, relay: await this.#open(url, kv) });
  }

  async stopOther(url: string): Promise<void> {
    const other = this.#others.get(url);
    const relay = other?.relay;
    if (other) other.relay = undefined;
    this.dialler.relays.delete(url);
    await relay?.stop();
  }

  async #open(url: string, kv: Deno.Kv, access?: string): Promise<Relay> {
    const relay = await Relay.open({
      kv: this.#watched(kv),
      publicUrl: url,
      access,
      clock: () => this.clock.now(),
      // Work costs real time and is the relay's to test; the world's time stands still between
      // steps, so rates per second would not recover.
      limits: {
        workBits: 0,
        framesPerSecond: 1e6,
        bytesPerSecond: 1e9,
        forwardsPerSecond: 1e6,
        peerFramesPerSecond: 1e6,
        peerBytesPerSecond: 1e9,
      },
      forward: { dialler: this.dialler, throughTor: this.throughTor },
    });
    this.dialler.relays.set(url, relay);
    return relay;
  }

  async stopRelay(): Promise<void> {
    const relay = this.relay;
    this.relay = undefined;
    this.dialler.relays.delete(HOME);
    await relay?.stop();
  }

  /** The relay stops, at once for everybody, and comes back on what it had on disk. */
  restartRelay(): void {
    this.#restarting = this.#restarting.then(async () => {
      await this.stopRelay();
      await this.startRelay();
      this.activity++;
    });
  }

  /** A way to the relay for somebody who is nobody's messenger. */
  readonly transport: Transport = {
    connect: (_url, events) => this.connect(events).socket,
  };

  /** A connection to a relay, if it is there. */
  connect(
    events: SocketEvents,
    url: string = HOME,
  ): { socket: Socket; near?: MemorySocket } {
    const relay = url === HOME ? this.relay : this.#others.get(url)?.relay;
    if (!relay) {
      queueMicrotask(() => events.closed());
      return { socket: { send: () => {}, close: () => {} } };
    }
    const { client, relay: far } = memorySocketPair();
    client.listen({
      message: (data) => {
        if (typeof data !== "string") events.message(data);
      },
      close: () => events.closed(),
      drained: () => {},
    });
    relay.accept(far);
    events.open();
    return {
      near: client,
      socket: {
        send: (frame) => client.send(frame),
        close: () => client.close(1000, ""),
      },
    };
  }

  /** Queues that the relay has. */
  queues(): Promise<number> {
    return countQueues(this.kv);
  }

  /** A new device that nothing is stored on. */
  person(options: Partial<PersonOptions> = {}): Person {
    const person = new Person(this, {
      random: worldRandom,
      at: HOME,
      deviceName: "",
      ...options,
    });
    this.#people.add(person);
    return person;
  }

  /** Lets things happen, moving time when nothing does, until `holds`. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let quiet = 0;
    let seen = -1;
    while (!holds()) {
      await turn(quiet > 0);
      const now = this.activity + this.clock.fired;
      quiet = now === seen && !this.#elsewhere() ? quiet + 1 : 0;
      seen = now;
      const next = this.clock.untilNext;
      const due = next !== undefined &&
        (quiet > QUIET_TURNS && next <= HORIZON_MS || quiet > VERY_QUIET_TURNS);
      if (due) {
        this.clock.advance(next);
        quiet = 0;
      }
      if (performance.now() > deadline) {
        throw new Error(`it never came to this: ${what}\n${this.#describe()}`);
      }
    }
  }

  /** Whether another thread is at work: on the relay's disk, or on keys. */
  #elsewhere(): boolean {
    return this.#storing > 0 || isComputing();
  }

  /** Lets things happen until nothing more does, timers within `ms` included. */
  async settle(ms = HORIZON_MS): Promise<void> {
    const end = this.clock.now() + ms;
    let quiet = 0;
    let since = performance.now();
    let seen = -1;
    while (quiet <= 2 * QUIET_TURNS || performance.now() - since < REST_MS) {
      await turn(quiet > 0);
      const now = this.activity + this.clock.fired;
      quiet = now === seen && !this.#elsewhere() ? quiet + 1 : 0;
      if (quiet === 0) since = performance.now();
      seen = now;
      const next = this.clock.untilNext;
      if (
        quiet > QUIET_TURNS && next !== undefined &&
        this.clock.now() + next <= end
      ) {
        this.clock.advance(next);
        quiet = 0;
      }
    }
  }

  /** The store as the relay uses it: what it waits for is not quiet. */
  #watched<T extends object>(store: T): T {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          const result: unknown = member.apply(target, given);
          if (result instanceof Promise) {
            this.#storing++;
            return result.finally(() => this.#storing--);
          }
          // atomic() and its chain are what commits; an iterator has its own `this`.
          const chain = name !== "list" && typeof result === "object" &&
            result !== null;
          return chain ? this.#watched(result) : result;
        };
      },
    });
  }

  async close(): Promise<void> {
    for (const person of this.#people) await person.close();
    await this.#restarting;
    await this.stopRelay();
    this.kv.close();
    for (const [url, { kv }] of this.#others) {
      await this.stopOther(url);
      kv.close();
    }
  }

  #describe(): string {
    return [...this.#people].map((person) => person.describe()).join("\n");
  }
}

/**
 * Lets everything run that is ready. When nothing came of the turn before, it also waits for a
 * millisecond of real time: what is computed or stored on another thread needs some.
 */
function turn(quiet: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (quiet) setTimeout(resolve, 1);
    else setImmediate(resolve);
  });
}

const worldRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => 0,
};

export interface PersonOptions {
  readonly random: Random;
  /** The URL of the relay that they are at. */
  readonly at: string;
  readonly deviceName: string;
}

/** What can be made to happen at: a commit before or after it reached the disk, a frame either way. */
export type Moment =
  | { readonly at: "commit"; readonly when: "before" | "after" }
  | {
    readonly at: "frame";
    readonly way: "out" | "in";
    readonly frame: Uint8Array;
  };

/** A device of a person: a disk that lasts, and a messenger that may be killed and started again. */
export class Person {
  readonly #world: World;
  readonly #options: PersonOptions;
  readonly disk = new MemoryDisk();
  /** The authenticator of this device. */
  readonly passkeys = new TestPasskeys();
  #life: Life | undefined;
  #tabs = new MemoryTabs();
  /** Told of every moment; what it returns true for kills the messenger there and then. */
  onMoment: ((moment: Moment) => boolean) | undefined;

  constructor(world: World, options: PersonOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** The URL of the relay that they are at. */
  get at(): string {
    return this.#options.at;
  }

  get started(): boolean {
    return this.#life !== undefined;
  }

  get alive(): boolean {
    return this.#life !== undefined && !this.#life.dead;
  }

  get messenger(): Messenger {
    const messenger = this.#life?.messenger;
    if (!messenger) throw new Error("the messenger was not started");
    return messenger;
  }

  get phase(): Phase["at"] {
    return this.messenger.phase.value.at;
  }

  /** Starts the messenger on what is on the disk. Never resolves when it is killed meanwhile. */
  async start(): Promise<Messenger> {
    const life = new Life(this.#world, this);
    this.#life = life;
    this.disk.onCommit = (when) => {
      this.#world.activity++;
      if (life.dead || !this.onMoment?.({ at: "commit", when })) return;
      this.kill();
      throw new StorageUnavailableError("the power was cut");
    };
    this.#tabs = new MemoryTabs();
    return await this.#open(life);
  }

  /** Another tab beside the one that is open; it becomes the messenger that a test talks to. */
  openTab(): Promise<Messenger> {
    const life = new Life(this.#world, this);
    this.#life = life;
    return this.#open(life);
  }

  async #open(life: Life): Promise<Messenger> {
    const messenger = await Messenger.open({
      openPlatform: () => Promise.resolve(this.disk.platform()),
      tab: this.#tabs.tab(),
      relaySocketUrl: "ws://relay.example/relay",
      transport: life.transport,
      network: unknownNetwork,
      clock: life.clock,
      random: this.#options.random,
      stretch: quickStretch,
      passkeys: this.passkeys,
      deviceName: this.#options.deviceName,
    });
    life.messenger = messenger;
    return messenger;
  }

  /** As a power cut: nothing is said, written or waited for any more. */
  kill(): void {
    this.#life?.kill();
  }

  /** As a network that fails: the connection is gone, the messenger is not. */
  cut(): void {
    this.#life?.cut();
  }

  /** While true, no connection comes about. */
  unreachable = false;

  /** What it sends waits from now on, in its order. */
  hold(): void {
    this.#waiting ??= [];
  }

  /** What waited goes out, and what comes then. */
  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const send of waiting) send();
  }

  #waiting: (() => void)[] | undefined;

  /** How long it takes until it sends a frame, in ms: to have something made may take work. */
  worksFor: ((frame: Uint8Array) => number) | undefined;

  /** For its life: sends now, in a while, or once it is released. */
  sends(frame: Uint8Array, send: () => void): void {
    const ms = this.worksFor?.(frame) ?? 0;
    if (this.#waiting) this.#waiting.push(send);
    else if (ms > 0) this.#world.clock.after(ms, send);
    else send();
  }

  async close(): Promise<void> {
    if (this.alive) await this.#life?.messenger?.close();
    this.kill();
  }

  describe(): string {
    const messenger = this.#life?.messenger;
    if (!messenger) return "a person who is not there";
    const { phase, connection, me, conversations, invite, backup } = messenger;
    return JSON.stringify({
      phase: phase.value,
      backup: backup.value,
      devices: messenger.devices.list.value.map(({ id }) => id),
      connection: connection.value,
      me: me.value,
      offer: invite.offer.value,
      join: invite.join.value,
      conversations: conversations.value.map((summary) => ({
        ...summary,
        messages: messenger.conversation(summary.id)?.messages.value
          .map(({ mine, body, state }) => ({ mine, body, state })),
      })),
    });
  }
}

/** One run of a messenger, from its start until it is closed or killed. */
class Life {
  readonly #world: World;
  readonly #person: Person;
  readonly #sockets = new Set<MemorySocket>();
  messenger: Messenger | undefined;
  dead = false;

  constructor(world: World, person: Person) {
    this.#world = world;
    this.#person = person;
  }

  readonly clock: Clock = {
    now: () => this.#world.clock.now(),
    after: (ms, run) =>
      this.#world.clock.after(ms, () => {
        if (!this.dead) run();
      }),
  };

  readonly transport: Transport = {
    connect: (_url, events) => this.#connect(events),
  };

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    this.cut();
    // Whoever opens a disk takes it from whoever had it: the dead write nothing.
    this.#person.disk.platform();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.cut();
    this.#sockets.clear();
  }

  #connect(events: SocketEvents): Socket {
    if (this.dead || this.#person.unreachable) {
      queueMicrotask(() => events.closed());
      return { send: () => {}, close: () => {} };
    }
    const { socket, near } = this.#world.connect({
      open: () => events.open(),
      message: (frame) => {
        if (!this.#stopped("in", frame)) events.message(frame);
      },
      closed: () => {
        if (near) this.#sockets.delete(near);
        if (!this.dead) events.closed();
      },
    }, this.#person.at);
    if (near) this.#sockets.add(near);
    return {
      send: (frame) => {
        if (this.#stopped("out", frame)) return;
        this.#person.sends(frame, () => socket.send(frame));
      },
      close: () => socket.close(),
    };
  }

  /** Counts a frame; true when its messenger is no more, and it goes nowhere. */
  #stopped(way: "out" | "in", frame: Uint8Array): boolean {
    if (this.dead) return true;
    this.#world.activity++;
    if (this.#person.onMoment?.({ at: "frame", way, frame })) this.kill();
    return this.dead;
  }
}
