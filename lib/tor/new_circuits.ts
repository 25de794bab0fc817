/** New circuits for everything that is connected from now on. */
import type { ControlPort } from "./control_port.ts";

/** Tor does it once in this time, ms; who asks sooner gets it when the time is over. */
export const NEW_CIRCUITS_EVERY_MS = 10_000;

/**
 * Lets Tor use no circuit again that it has, for new connections: open ones stay where they are.
 * @throws {ControlError}
 */
export async function newCircuits(control: ControlPort): Promise<void> {
  await control.command("SIGNAL NEWNYM");
}
