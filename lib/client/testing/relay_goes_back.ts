/** A relay that goes back to what it had, by a fault or on purpose. */
import type { World } from "./world.ts";

/** The keys of blobs and of their contents begin so. */
export const BLOBS = ["b", "c"];

type Content = readonly Deno.KvEntry<unknown>[];

/** What the relay has: everything, or what lies under keys that begin as said. */
export async function contentsOf(
  world: World,
  under?: readonly string[],
): Promise<Content> {
  // Stopping brings what is in its journal to where it belongs.
  await world.stopRelay();
  const contents = await read(world, under);
  await world.startRelay();
  return contents;
}

async function read(
  { kv }: World,
  under?: readonly string[],
): Promise<Content> {
  const prefixes = under ? under.map((first) => [first]) : [[]];
  const parts = prefixes.map((prefix) => Array.fromAsync(kv.list({ prefix })));
  return (await Promise.all(parts)).flat();
}

/** The relay goes back to what it had. */
export async function goBack(
  world: World,
  before: Content,
  under?: readonly string[],
): Promise<void> {
  const { kv } = world;
  await world.stopRelay();
  for (const { key } of await read(world, under)) await kv.delete(key);
  for (const { key, value } of before) await kv.set(key, value);
  await world.startRelay();
}
