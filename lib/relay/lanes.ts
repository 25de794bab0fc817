/** Runs what concerns one name one after another, and what concerns different names side by side. */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `task` when everything asked before under this name is over, however it ended. */
  run<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
    const running = (this.#last.get(name) ?? Promise.resolve()).then(task);
    const over = running.then(() => {}, () => {}); // who asked hears of it
    this.#last.set(name, over);
    over.then(() => {
      if (this.#last.get(name) === over) this.#last.delete(name);
    });
    return running;
  }

  /** Resolves when nothing is running and nothing waits. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
