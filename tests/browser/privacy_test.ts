/** What others get to see of a real conversation: the wire, the relay's disk, the browser's disk. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hexToBytes } from "@noble/hashes/utils.js";
import { FRAME_SIZES } from "../../lib/wire/mod.ts";
import { freshPerson, type Person } from "../harness/mod.ts";
import {
  enterCode,
  generateCode,
  message,
  textsOf,
  write,
} from "./conversation_steps.ts";
import {
  type BrowserStorage,
  bytesOf,
  deviceRecords,
  everything,
  isHeader,
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

interface Story extends Two<Person> {
  readonly code: string;
  /** Every byte of the relay's database and its journals, at moments when there was something in them. */
  readonly relayDisk: readonly Uint8Array[];
  /** Where somebody's browser writes its log of the network; whole once it is closed. */
  logOf(name: string): string;
}

/** They meet, talk, one waits for the other; both stay. */
async function withStory(
  tell: (story: Story) => Promise<void>,
): Promise<void> {
  const logs = await Deno.makeTempDir({ prefix: "whisper-netlog-" });
  const logOf = (name: string) => `${logs}/${name}.json`;
  const story = async (two: Two<Person>) => {
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
    await tell({ ...two, code, relayDisk, logOf });
  };
  try {
    await withTwo(
      (options, name) =>
        freshPerson({ ...options, flags: [`--log-net-log=${logOf(name)}`] }),
      story,
    );
  } finally {
    await Deno.remove(logs, { recursive: true });
  }
}

interface Secrets {
  readonly needles: Needles;
  /** Of everybody's queues. */
  readonly keys: SealKeys;
}

/** Names, words, keys and everything else that is nobody else's business. */
async function secretsOf({ ada, bjorn, code }: Story): Promise<Secrets> {
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

/** No word, name, key or part of a Signal message, and every frame has one of seven sizes. */
function checkWireAndRelay(
  { ada, bjorn, relay, relayDisk }: Story,
  { needles, keys }: Secrets,
): void {
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
}

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

/** No request, socket or preconnection for anybody but the server, whoever in the page wanted it. */
async function checkNetLog(url: string, log: string): Promise<void> {
  const { host } = new URL(url);
  const { forPages, forItself } = await askedIn(log);
  deepEqual([...forPages], [host]);
  const others = [...forItself].filter((other) => !CHROMIUMS_OWN.test(other));
  deepEqual(others, [host]);
}

/** Fails when something lies in the storage that is not sealed or blinded. */
function expectSealed(
  storage: BrowserStorage,
  origin: string,
): void {
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
    Object.entries(local).filter(([key]) =>
      key !== "whisper-theme" && key !== "whisper-storage-notice"
    ),
    // That there is one, which the database tells as well.
    [["whisper-account", "stored"]],
  );
  deepEqual({ session, cookies, files }, {
    session: {},
    cookies: "",
    files: [],
  });
  ok(cached.length > 0, "nothing is cached");
  for (const { url, body } of cached) {
    // That this version was agreed to: a name that is nowhere, and nothing in it.
    if (url === "https://agreed.invalid/") equal(body, "");
    else equal(new URL(url).origin, origin);
  }
}

async function logOut({ page }: Traveller): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" })
    .click();
  await page.getByRole("textbox", { name: "Access key" }).waitFor();
}

/** Ciphertext under blinded keys, and one key that no code can read. */
function checkStorage(
  storage: BrowserStorage,
  { url }: Story,
  { needles, keys }: Secrets,
): void {
  expectSealed(storage, url);
  deepEqual(needles.foundIn(everything(storage)), []);
  // Not even the names that the relay knows.
  deepEqual(queueNames(keys).foundIn(everything(storage)), []);
  const device = deviceRecords(storage);
  deepEqual(device.get("key"), { kind: "key", extractable: false });
  device.delete("key");
  expectCounted(device);
}

/** Only which opening of the store is the last one, and which of those before it are over. */
function expectCounted(device: Map<string, Stored>): void {
  const owner = device.get("owner");
  ok(owner?.kind === "other");
  const last = Number(owner.json);
  ok(Number.isInteger(last), owner.json);
  device.delete("owner");
  for (const [name, value] of device) {
    const [, number] = /^gone (\d+)$/.exec(name) ?? [];
    ok(Number(number) < last, name);
    deepEqual(value, { kind: "other", json: "0" });
  }
}

/** Without that key, and with all the rest as sealed as before. */
async function checkLoggedOut(
  person: Traveller,
  { url }: Story,
  { needles }: Secrets,
): Promise<void> {
  const { page, accessKey } = person;
  await logOut(person);
  const storage = await readStorage(page);
  expectSealed(storage, url);
  expectCounted(deviceRecords(storage));
  deepEqual(needles.foundIn(everything(storage)), []);
  deepEqual(needles.foundIn(Buffer.from(await page.content())), []);

  await page.getByRole("textbox", { name: "Access key" }).fill(accessKey);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: /^Björn/ }).click();
  await message(person, new RegExp(TEXTS[1])).waitFor();
  deepEqual(await textsOf(person), TEXTS);
  equal(deviceRecords(await readStorage(page)).get("key")?.kind, "key");
}

/** The files of a whole profile, raw: also what the browser notes on its own account. Closes the browser. */
async function checkProfile(
  person: Traveller<Person>,
  { needles }: Secrets,
): Promise<void> {
  const { records } = await readStorage(person.page);
  await person.leave();
  const files = await everyFile(
    person.profile,
    (path) => /\/(Singleton\w+|component_crx_cache)$/.test(path),
  );
  const found = [...files].flatMap(([path, bytes]) =>
    needles.foundIn(bytes).map((what) => `${what} in ${path}`)
  );
  deepEqual(found, []);
  // The search would have found them: the blinded keys are there.
  const blinded = new Needles();
  for (const { store, key } of records) {
    if (store === "records" && !isHeader(key)) {
      blinded.bytes(Buffer.from(bytesOf(key)).toString("hex"), bytesOf(key));
    }
  }
  const raw = Buffer.concat([...files.values()]);
  ok(blinded.foundIn(raw).length > blinded.size / 2);
}

Deno.test("of a whole conversation nobody else gets to see anything", (t) =>
  withStory(async (story) => {
    const { ada, bjorn, url, logOf } = story;
    const secrets = await secretsOf(story);
    await t.step(
      "neither the wire nor the relay's disk has a word, a name, a key or a part of a Signal message, and every frame has one of seven sizes",
      () => checkWireAndRelay(story, secrets),
    );
    await t.step(
      "the browser keeps ciphertext under blinded keys, and one key that no code can read",
      async () => {
        for (const person of [ada, bjorn]) {
          checkStorage(await readStorage(person.page), story, secrets);
        }
      },
    );
    await t.step(
      "logged out, that key is gone",
      () => checkLoggedOut(ada, story, secrets),
    );
    await t.step(
      "no file of the browser's profile has anything of it in clear",
      async () => {
        for (const person of [ada, bjorn]) await checkProfile(person, secrets);
      },
    );
    await t.step(
      "by the browser's own log of its network, the pages asked one host only, for whatever it was",
      async () => {
        for (const { name } of [ada, bjorn]) {
          await checkNetLog(url, logOf(name));
        }
      },
    );
  }));
