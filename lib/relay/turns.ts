/** What waits, of many who ask, in turn: who has much waiting is served as often as who has little. */
export class Turns<T> {
  /** In the order in which they have their turn. */
  readonly #lanes = new Map<object, T[]>();
  #size = 0;

  /** How much waits, of all together. */
  get size(): number {
    return this.#size;
  }

  add(asker: object, item: T): void {
    const lane = this.#lanes.get(asker);
    if (lane === undefined) this.#lanes.set(asker, [item]);
    else lane.push(item);
    this.#size++;
  }

  /** What has its turn; undefined when nothing waits. */
  get next(): T | undefined {
    const [lane] = this.#lanes.values();
    return lane?.[0];
  }

  /** Takes what has its turn. */
  take(): T | undefined {
    const [next] = this.#lanes;
    if (next === undefined) return undefined;
    const [asker, lane] = next;
    const item = lane.shift();
    this.#lanes.delete(asker);
    // Behind all others.
    if (lane.length > 0) this.#lanes.set(asker, lane);
    this.#size--;
    return item;
  }
}
