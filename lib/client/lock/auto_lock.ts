import type { Clock } from "../clock.ts";

const MINUTE = 60_000;

/** Locks when nobody has used the messenger for a while, also over a sleep of the device. */
export class AutoLock {
  readonly #clock: Clock;
  readonly #lock: () => void;
  #limit = 0;
  #touched = 0;
  #cancel: (() => void) | undefined;

  /** `lock` is called once for each time it falls due. */
  constructor(clock: Clock, lock: () => void) {
    this.#clock = clock;
    this.#lock = lock;
  }

  /** Locks after so many minutes from now on; 0: never. */
  after(minutes: number): void {
    this.#limit = minutes * MINUTE;
    this.#touched = this.#clock.now();
    this.#wait(this.#limit);
  }

  /** The person did something. After a sleep the time may be up before any timer could say so. */
  touched(): void {
    if (this.#limit === 0 || this.#due()) return;
    this.#touched = this.#clock.now();
  }

  stop(): void {
    this.#limit = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#limit === 0 ? undefined : this.#clock.after(ms, () => {
      // A clock set back must not put the lock off for longer than was chosen, now or at the next look.
      this.#touched = Math.min(this.#touched, this.#clock.now());
      const left = this.#touched + this.#limit - this.#clock.now();
      if (!this.#due()) this.#wait(left);
    });
  }

  #due(): boolean {
    if (this.#clock.now() - this.#touched < this.#limit) return false;
    this.stop();
    this.#lock();
    return true;
  }
}
