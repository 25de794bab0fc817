/** `OneTab` for tests: the tabs of a browser that is not there. */
import type { OneTab } from "./one_tab.ts";
import { Serial } from "./serial.ts";

export class MemoryTabs {
  readonly #patience: number;
  readonly #takeovers = new Serial();
  #holder:
    | { readonly tab: OneTab; readonly letGo: () => Promise<void> }
    | undefined;

  /** @param options.patience how long a holder may take to let go, in ms */
  constructor({ patience = 5000 }: { patience?: number } = {}) {
    this.#patience = patience;
  }

  /** One more tab. */
  tab(): OneTab {
    const tab: OneTab = {
      hold: async (letGo) => {
        await Promise.resolve();
        if (this.#holder) return false;
        this.#holder = { tab, letGo };
        return true;
      },
      takeOver: (letGo) =>
        this.#takeovers.run(async () => {
          if (this.#holder) await this.#patiently(this.#holder.letGo());
          this.#holder = { tab, letGo };
        }),
      release: async () => {
        await Promise.resolve();
        if (this.#holder?.tab === tab) this.#holder = undefined;
      },
    };
    return tab;
  }

  async #patiently(lettingGo: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#patience);
    await Promise.race([lettingGo, late.promise]);
    clearTimeout(timer);
  }
}
