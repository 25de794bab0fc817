/**
 * One tab of a browser holds the account. Another can take it over: the holder
 * is asked to let go, finishes what it is committing, and does.
 */
export interface OneTab {
  /**
   * Takes hold if no other tab does.
   * @param letGo called at most once, when another tab takes over: finish the
   *   commit under way, close the vault, resolve. The other tab waits for that,
   *   but not for ever.
   * @returns false when another tab holds it
   */
  hold(letGo: () => Promise<void>): Promise<boolean>;
  /**
   * Asks the holder to let go and takes hold; by force when it does not answer
   * (a frozen tab). What that tab then still writes is refused by the store.
   */
  takeOver(letGo: () => Promise<void>): Promise<void>;
  /** Lets go; another tab's `hold` succeeds from then on. Without a hold: nothing. */
  release(): Promise<void>;
}
