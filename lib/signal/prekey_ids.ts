/** Ids have 24 bits in Signal's clients; 0 stands for none in some of them. */
export const MAX_PREKEY_ID = 0xff_ff_ff;

/** Where the ids of a device begin: at random, so that they do not tell how old it is. */
export function randomPreKeyId(): number {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return 1 + random % MAX_PREKEY_ID;
}

/** `count` ids from `from` on that are not held, after the last one the first again; and what comes after them. */
export function freePreKeyIds(
  held: ReadonlySet<number>,
  from: number,
  count: number,
): { ids: number[]; nextId: number } {
  const ids: number[] = [];
  let nextId = from;
  while (ids.length < count) {
    if (!held.has(nextId)) ids.push(nextId);
    nextId = nextId === MAX_PREKEY_ID ? 1 : nextId + 1;
  }
  return { ids, nextId };
}
