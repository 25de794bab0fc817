import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import { SignalError, type SignalErrorCode } from "../mod.ts";

/** Why somebody refused, in words that both implementations can be held to. */
export type Refusal =
  | "duplicate"
  | "no session"
  | "unknown prekey"
  | "X3DH"
  | "identity changed"
  | "repeated first message"
  | "invalid";

/** Our codes, where they are not finer than libsignal's. */
const OURS: Partial<Record<SignalErrorCode, Refusal>> = {
  "duplicate": "duplicate",
  "no-session": "no session",
  "unanswered": "no session",
  "unknown-prekey": "unknown prekey",
  "version": "X3DH",
  "identity-changed": "identity changed",
};

/** What libsignal, or a store of ours through it, says; an error that says none of it is of an invalid message. */
const THEIRS: readonly [RegExp, Refusal][] = [
  [/session with .* not found/, "no session"],
  [/unknown prekey/, "unknown prekey"],
  [/X3DH no longer supported/, "X3DH"],
  [/repeated first message/, "repeated first message"],
];

const BY_THE_APPLICATION: readonly Refusal[] = [
  "no session",
  "repeated first message",
];

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof SignalError) return OURS[error.code] ?? "invalid";
  if (error instanceof L.LibSignalErrorBase) {
    if (error.code === L.ErrorCode.DuplicatedMessage) return "duplicate";
    if (error.code === L.ErrorCode.UntrustedIdentity) return "identity changed";
    return THEIRS.find(([said]) => said.test(error.message))?.[1] ?? "invalid";
  }
  // What our party refuses itself, as an application around the protocol has to.
  const said = error instanceof Error ? error.message : "";
  return BY_THE_APPLICATION.find((refusal) => refusal === said);
}

/** Expects the promise to reject as one of the two implementations does: for this reason, or for any. */
export async function refuses(
  promise: Promise<unknown>,
  expected?: Refusal,
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    const refusal = refusalOf(error);
    assert.equal(refusal, expected ?? refusal, String(error));
    assert(refusal !== undefined, String(error));
    return true;
  });
}
