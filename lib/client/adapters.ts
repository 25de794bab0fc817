import type { Clock } from "./clock.ts";
import type { Network, Transport } from "./link/mod.ts";
import type { Passkeys, Stretch } from "./lock/mod.ts";
import type { Random } from "./random.ts";
import type { OneTab, Platform } from "./storage/mod.ts";

/** What the messenger stands on: the browser's own, or what a test puts in their place. */
export interface Adapters {
  /** Opens the disk; what was opened before can't write any more. */
  openPlatform(): Promise<Platform>;
  readonly tab: OneTab;
  /** Where the relay listens: ws: or wss:. */
  readonly relaySocketUrl: string;
  readonly transport: Transport;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly stretch: Stretch;
  /** Where the browser has none, there are none. */
  readonly passkeys: Passkeys | undefined;
  /** What a person may know this device by among their others; by default nothing. */
  readonly deviceName?: string;
}

/** A part of the program did not arrive: there is no network, and nothing has kept it. */
export class NotLoadedError extends Error {
  override readonly name = "NotLoadedError";
  constructor(options: ErrorOptions) {
    super("a part of the program could not be loaded", options);
  }
}

/** A command that the present phase does not allow. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
  constructor(command: string) {
    super(`${command} is not possible now`);
  }
}
