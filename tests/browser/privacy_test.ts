/** What others get to see of a real conversation: the wire, the relay's disk, the browser's disk. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hexToBytes } from "@noble/hashes/utils.js";
import { FRAME_SIZES } from "../../lib/wire/mod.ts";
import {
  enterCode,
  generateCode,
  message,
  textsOf,
  write,
} from "./conversation_steps.ts";
import {
  type BrowserStorage,
  readStorage,
  type Stored,
} from "./support_browser_storage.ts";
import { everyFile, Needles, unevenness } from "./support_needles.ts";
import {
  addSecrets,
  addSignalMessages,
  type SealKeys,
} from "./support_secrets.ts";
import {
  allAre,
  comeBack,
  shows,
  type Traveller,
  type Two,
  withTwo,
} from "./support_two.ts";

const TEXTS = [
  "The cipher is broken, says Zenobia",
  "Then let us make a better one: Rübezahl",
  "Marmalade upon the windowsill",
];
const DRAFT = "Half a thought about quinces";

/** What IndexedDB calls the one record in clear. */
const HEADER = "whisper vault header";

interface Story extends Two {
  readonly code: string;
  /** Every byte of the relay's database and its journals, at moments when there was something in them. */
  readonly relayDisk: readonly Uint8Array[];
}

/** They meet, talk, one waits for the other; both stay. */
function withStory(
  tell: (story: Story) => Promise<void>,
  flags?: (url: string) => readonly string[],
): Promise<void> {
  return withTwo(async (two) => {
    const { ada, bjorn } = two;
    const relayDisk: Uint8Array[] = [];
    const look = async () => {
      const { dataDir } = two.relay;
      relayDisk.push(...(await everyFile(dataDir)).values());
    };
    const code = await generateCode(ada);
    await look();
    await enterCode(bjorn, code);
    await ada.page.getByRole("log", { name: "Messages" }).waitFor();
    await bjorn.page.getByRole("log", { name: "Messages" }).waitFor();
    await look();
    await write(ada, TEXTS[0]);
    await shows(bjorn, TEXTS[0]);
    await write(bjorn, TEXTS[1]);
    await allAre(bjorn, [TEXTS[1]], "read");
    await bjorn.leave();
    await write(ada, TEXTS[2]);
    await allAre(ada, [TEXTS[2]], "sent");
    await look();
    await comeBack(bjorn, "Ada");
    await allAre(ada, [TEXTS[2]], "read");
    await ada.page.getByRole("textbox", { name: "Message" }).fill(DRAFT);
    await look();
    await tell({ ...two, code, relayDisk });
  }, { flags });
}

/** Names, words, keys and everything else that is nobody else's business. */
async function secretsOf(
  { ada, bjorn, code }: Story,
): Promise<{ needles: Needles; keys: SealKeys }> {
  const needles = new Needles();
  needles.text("Ada's name", "Lovelace");
  needles.text("Björn's name", "Ångström");
  for (const text of [...TEXTS, DRAFT]) {
    for (const word of text.split(/[ ,:]+/)) {
      if (word.length > 6) needles.text(`"${word}"`, word);
    }
  }
  needles.text("the invite code", code);
  needles.text("the invite code", code.replace("-", ""));
  needles.text("the secret of the code", code.replace("-", "").slice(4));
  const keys: SealKeys = new Map();
  for (const person of [ada, bjorn]) {
    const storage = await readStorage(person.page);
    for (const [name, key] of await addSecrets(needles, person, storage)) {
      keys.set(name, key);
    }
  }
  return { needles, keys };
}

/** With what Deno KV makes of zeros inside a key undone, behind the bytes as they are. */
function unescaped(database: Buffer): Buffer {
  const text = database.toString("latin1");
  const plain = Buffer.from(text.replaceAll("\x00\xff", "\x00"), "latin1");
  return Buffer.concat([database, plain]);
}

/** Queue names: what the relay may know, and so what a search that works finds. */
function queueNames(keys: SealKeys): Needles {
  const names = new Needles();
  for (const name of keys.keys()) names.bytes(name, hexToBytes(name));
  return names;
}

Deno.test("neither the wire nor the relay's disk has a word, a name, a key or a part of a Signal message, and every frame has one of seven sizes", () =>
  withStory(async (story) => {
    const { ada, bjorn, relay, relayDisk } = story;
    const { needles, keys } = await secretsOf(story);
    const frames = [...ada.wire.frames, ...bjorn.wire.frames];
    const sent = addSignalMessages(needles, frames, keys);
    ok(sent >= TEXTS.length + 4, `${sent} envelopes were sent`);
    ok(needles.size > 500, `only ${needles.size} things to look for`);

    const onTheWire = Buffer.concat(
      [ada, bjorn].flatMap(({ wire }) => [
        ...wire.plain,
        ...wire.frames.map(({ payload }) => payload),
      ]),
    );
    deepEqual(needles.foundIn(onTheWire), []);
    const onDisk = unescaped(Buffer.concat(relayDisk));
    deepEqual(needles.foundIn(onDisk), []);
    const printed = new TextEncoder().encode(relay.output());
    deepEqual(needles.foundIn(printed), []);

    const names = queueNames(keys);
    equal(names.foundIn(onTheWire).length, names.size);
    equal(names.foundIn(onDisk).length, names.size);
    // The relay does not tell its host who was there, either.
    deepEqual(names.foundIn(printed), []);

    const sizes = frames.map(({ payload }) => payload.length);
    deepEqual(sizes.filter((size) => !FRAME_SIZES.includes(size)), []);
    for (const direction of ["up", "down"]) {
      ok(frames.filter((frame) => frame.direction === direction).length > 20);
    }
    const envelopes = new Map(
      frames.flatMap(({ commands }) => commands).flatMap((command) =>
        command.type === "SEND"
          ? [[Buffer.from(command.id).toString("hex"), command.envelope]]
          : []
      ),
    );
    ok(unevenness(Buffer.concat([...envelopes.values()])) < 400);
  }));

/** What Chromium itself asks for, without any page: updates, its own accounts, names of form fields. */
const CHROMIUMS_OWN = /\.(google|googleapis)\.com$/;

/** Whom a browser asked for anything, by its own log of its network: for pages and workers, and for itself. */
async function askedIn(
  netLog: string,
): Promise<{ forPages: Set<string>; forItself: Set<string> }> {
  // The part of Chromium's format (net/log) that is read here.
  const { events } = JSON.parse(await Deno.readTextFile(netLog)) as {
    events: { params?: { url?: string; initiator?: string } }[];
  };
  const asked = { forPages: new Set<string>(), forItself: new Set<string>() };
  for (const { params: { url, initiator } = {} } of events) {
    if (url === undefined || initiator === undefined) continue;
    const page = URL.canParse(initiator);
    (page ? asked.forPages : asked.forItself).add(new URL(url).host);
  }
  return asked;
}

Deno.test("by the browser's own log of its network, the pages asked one host only, for whatever it was", async () => {
  const logs = await Deno.makeTempDir({ prefix: "whisper-netlog-" });
  const logOf = (url: string) => `${logs}/${new URL(url).port}.json`;
  try {
    await withStory(async ({ ada, bjorn }) => {
      const urls = [ada, bjorn].map(({ wire }) => wire.url);
      await ada.leave();
      await bjorn.leave();
      for (const url of urls) {
        const { host } = new URL(url);
        const { forPages, forItself } = await askedIn(logOf(url));
        deepEqual([...forPages], [host]);
        const others = [...forItself].filter((other) =>
          !CHROMIUMS_OWN.test(other)
        );
        deepEqual(others, [host]);
      }
    }, (url) => [`--log-net-log=${logOf(url)}`]);
  } finally {
    await Deno.remove(logs, { recursive: true });
  }
});

function bytesOf(stored: Stored): Uint8Array {
  switch (stored.kind) {
    case "bytes":
      return stored.bytes;
    case "text":
      return new TextEncoder().encode(stored.text);
    case "other":
      return new TextEncoder().encode(stored.json);
    case "key":
      return new Uint8Array();
  }
}

/** All that a page can get at, as bytes. */
function everything(storage: BrowserStorage): Uint8Array {
  const { records, local, session, cookies, cached, files } = storage;
  return Buffer.concat([
    ...records.flatMap(({ key, value }) => [bytesOf(key), bytesOf(value)]),
    Buffer.from(JSON.stringify({ local, session, cookies, cached, files })),
  ]);
}

function isHeader(key: Stored): boolean {
  return Buffer.from(bytesOf(key)).toString() === HEADER;
}

/** Fails when something lies in the storage that is not sealed or blinded. */
function expectSealed(person: Traveller, storage: BrowserStorage): void {
  const { records, local, session, cookies, cached, files } = storage;
  deepEqual(
    [...new Set(records.map(({ database, store }) => `${database}/${store}`))]
      .filter((place) => !/^whisper\/(records|device)$/.test(place)),
    [],
  );
  const vault = records.filter(({ store }) => store === "records");
  equal(vault.filter(({ key }) => isHeader(key)).length, 1);
  const sealed = vault.filter(({ key }) => !isHeader(key));
  ok(sealed.length > 10, `${sealed.length} records`);
  for (const { key, value } of sealed) {
    ok(key.kind === "bytes" && key.bytes.length === 16);
    ok(value.kind === "bytes");
    // Schema, nonce, tag, and a multiple of 128: the length tells little.
    equal((value.bytes.length - 2 - 24 - 16) % 128, 0);
  }
  ok(unevenness(Buffer.concat(sealed.map(({ key }) => bytesOf(key)))) < 400);
  const contents = sealed.map(({ value }) => bytesOf(value).subarray(2));
  ok(unevenness(Buffer.concat(contents)) < 400);

  deepEqual(
    Object.keys(local).filter((key) =>
      key !== "whisper-theme" && key !== "whisper-storage-notice"
    ),
    [],
  );
  deepEqual({ session, cookies, files }, {
    session: {},
    cookies: "",
    files: [],
  });
  ok(cached.length > 0, "nothing is cached");
  for (const { url } of cached) equal(new URL(url).origin, person.wire.url);
}

/** The records of "device", beside the vault's. */
function deviceRecords({ records }: BrowserStorage): Map<string, Stored> {
  return new Map(
    records.filter(({ store }) => store === "device")
      .map(({ key, value }) => [key.kind === "text" ? key.text : "?", value]),
  );
}

async function logOut({ page }: Traveller): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" })
    .click();
  await page.getByRole("textbox", { name: "Access key" }).waitFor();
}

Deno.test("the browser keeps ciphertext under blinded keys and one key that no code can read, and that one not after logging out", () =>
  withStory(async (story) => {
    const { ada, bjorn } = story;
    const { needles, keys } = await secretsOf(story);
    for (const person of [ada, bjorn]) {
      const storage = await readStorage(person.page);
      expectSealed(person, storage);
      deepEqual(needles.foundIn(everything(storage)), []);
      // Not even the names that the relay knows.
      deepEqual(queueNames(keys).foundIn(everything(storage)), []);
      const device = deviceRecords(storage);
      deepEqual([...device.keys()].sort(), ["key", "owner"]);
      deepEqual(device.get("key"), { kind: "key", extractable: false });
      const owner = device.get("owner");
      ok(owner?.kind === "text" && /^[0-9a-f]{32}$/.test(owner.text));
    }

    await logOut(ada);
    const { page, accessKey } = ada;
    const sealed = await readStorage(page);
    expectSealed(ada, sealed);
    deepEqual([...deviceRecords(sealed).keys()], ["owner"]);
    deepEqual(needles.foundIn(everything(sealed)), []);
    // What is shown when one is logged out tells nothing, either.
    deepEqual(
      needles.foundIn(Buffer.from(await page.content())),
      [],
    );
    await page.getByRole("textbox", { name: "Access key" }).fill(accessKey);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: /^Björn/ }).click();
    await message(ada, new RegExp(TEXTS[1])).waitFor();
    deepEqual(await textsOf(ada), TEXTS);
    equal(deviceRecords(await readStorage(page)).get("key")?.kind, "key");

    // The files of the whole profile, raw: also what the browser notes on its own account.
    for (const person of [ada, bjorn]) {
      const { records } = await readStorage(person.page);
      await person.leave();
      const files = await everyFile(
        person.profile,
        (path) => /\/(Singleton\w+|component_crx_cache)$/.test(path),
      );
      const raw = Buffer.concat([...files.values()]);
      const found = [...files].flatMap(([path, bytes]) =>
        needles.foundIn(bytes).map((what) => `${what} in ${path}`)
      );
      deepEqual(found, []);
      // The search would have found them: the blinded keys are there.
      const blinded = new Needles();
      for (const { store, key } of records) {
        if (store === "records" && !isHeader(key)) {
          blinded.bytes(
            Buffer.from(bytesOf(key)).toString("hex"),
            bytesOf(key),
          );
        }
      }
      ok(blinded.foundIn(raw).length > blinded.size / 2);
    }
  }));
