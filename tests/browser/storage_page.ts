/** What the storage tests run inside a browser's page: the real adapters, driven from outside. */
import {
  ConversationLog,
  newContent,
  newContentId,
} from "../../lib/client/content/mod.ts";
import { ONE_TAB_CONTRACT } from "../../lib/client/storage/one_tab_contract.ts";
import { PLATFORM_CONTRACT } from "../../lib/client/storage/platform_contract.ts";
import {
  openBrowserPlatform,
  type Platform,
  table,
  Vault,
  VaultClosedError,
  WebTab,
} from "../../lib/client/storage/mod.ts";
import { generateKeyPair } from "../../lib/signal/mod.ts";

const ME = "00000000-0000-8000-8000-000000000001";

const counters = table<number>("counters", {
  encode: (value) => new TextEncoder().encode(String(value)),
  decode: (bytes) => Number(new TextDecoder().decode(bytes)),
});

/** What the page keeps between two calls from outside. */
let platform: Platform | undefined;
let vault: Vault | undefined;
let reached = 0;

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not opened in this page");
  return value;
}

const tests = {
  platformCases: () => PLATFORM_CONTRACT.map(({ name }) => name),
  tabCases: () => ONE_TAB_CONTRACT.map(({ name }) => name),

  async platformCase(index: number): Promise<void> {
    const name = crypto.randomUUID();
    await PLATFORM_CONTRACT[index].run({
      open: () => openBrowserPlatform({ name }),
    });
  },

  async tabCase(index: number): Promise<void> {
    const options = { name: crypto.randomUUID(), patience: 200, askEvery: 20 };
    await ONE_TAB_CONTRACT[index].run({ tab: () => new WebTab(options) });
  },

  async openPlatform(name?: string, patience?: number): Promise<void> {
    platform = await openBrowserPlatform({ name, patience });
  },

  async createVault(): Promise<void> {
    const { publicKey } = await generateKeyPair();
    vault = await Vault.create(opened(platform), {
      recoveryPublicKey: publicKey,
    });
  },

  async openVault(): Promise<void> {
    const found = await Vault.open(opened(platform));
    if (!(found instanceof Vault)) throw new Error("the vault is not open");
    vault = found;
  },

  /** A conversation that says `secret` wherever something can be said. */
  async talk(secret: string): Promise<void> {
    const log = new ConversationLog(ME);
    const conversation = newContentId();
    const content = newContent({
      conversation,
      id: newContentId(),
      time: Date.now(),
      expiry: 0,
      deviceList: { version: 1, hash: new Uint8Array(8) },
      backupVersion: 0,
    }, { kind: "text", text: secret });
    await opened(vault).transact(async (w) => {
      await log.append(w, { author: ME, content, at: Date.now() });
      await log.setDraft(w, conversation, secret, 0);
      w.put(counters, secret, 1);
    });
  },

  /** Counts up two counters that must always agree, one commit after the other, until the vault is closed. */
  startCounting(): void {
    const counted = opened(vault);
    const next = (count: number): Promise<void> =>
      counted.commit([
        counters.put("left", count),
        counters.put("right", count),
      ])
        .then(() => {
          reached = count;
          return next(count + 1);
        });
    next(1).catch((error: unknown) => {
      if (!(error instanceof VaultClosedError)) throw error;
    });
  },

  /** The last count that was committed. */
  reached: (): number => reached,

  counts: (): Promise<(number | undefined)[]> =>
    opened(vault).getMany(counters, ["left", "right"]),

  count: (count: number): Promise<void> =>
    opened(vault).commit([
      counters.put("left", count),
      counters.put("right", count),
    ]),

  /** One commit of `count` records of 50,000 bytes that do not compress. */
  async fill(count: number): Promise<void> {
    const values = Array.from(
      { length: count },
      () => crypto.getRandomValues(new Uint8Array(50_000)),
    );
    await opened(platform).store.commit(
      values.map((value) => ({ key: value.slice(0, 16), value })),
    );
  },

  /** Becomes the one tab; when taken over it finishes and closes, or, if stubborn, does not answer. */
  hold(stubborn: boolean): Promise<boolean> {
    return new WebTab({ patience: 500 }).hold(
      () => stubborn ? new Promise(() => {}) : opened(vault).close(),
    );
  },

  takeOver: (): Promise<void> =>
    new WebTab({ patience: 500 }).takeOver(() => Promise.resolve()),
};

export type StorageTests = typeof tests;

declare global {
  var storageTests: StorageTests;
}

globalThis.storageTests = tests;
