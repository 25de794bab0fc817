import { MalformedError } from "./keys/mod.ts";
import { ConnectionLostError, RelayError } from "./link/mod.ts";
import { failureOf } from "./rendezvous.ts";
import type { InvitationFailure } from "./view.ts";

/** Why an invitation could not be gone on with. Rethrows what is no answer to that. */
export function invitationFailureOf(error: unknown): InvitationFailure {
  if (error instanceof ConnectionLostError) return "offline";
  if (error instanceof MalformedError) return "relay-misbehaved";
  if (!(error instanceof RelayError)) throw error;
  switch (error.code) {
    case "no-such-blob":
    case "no-such-queue":
    case "unauthorised":
      return "gone";
    default: {
      return failureOf(error.code) === "busy" ? "busy" : "relay-misbehaved";
    }
  }
}

/** Whether trying again later may help: the connection was lost, or the relay asks for patience. */
export function passes(error: unknown): boolean {
  return error instanceof ConnectionLostError ||
    error instanceof RelayError && failureOf(error.code) === "busy";
}
