/** Runs one piece of work after the other, in the order they were handed in. */
export class Serial {
  #tail: Promise<void> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    // The failure belongs to who handed the work in (`result`); the next piece runs all the same.
    this.#tail = result.then(() => undefined, () => undefined);
    return result;
  }

  /** Resolves when everything handed in so far has ended. */
  idle(): Promise<void> {
    return this.#tail;
  }
}
