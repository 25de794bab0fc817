import { encodeNumberDetail, type ErrorName } from "../wire/mod.ts";

/** What a command comes to: the body of OK, or an error with its detail. */
export type Reply =
  | { ok: Uint8Array }
  | { error: ErrorName; detail?: Uint8Array };

export const OK: Reply = { ok: new Uint8Array() };
export const BUSY: Reply = { error: "busy" };
export const NO_SUCH_BLOB: Reply = { error: "no-such-blob" };
export const UNAUTHORISED: Reply = { error: "unauthorised" };

/** `conflict`: what was to be replaced is not what is there now. */
export function conflictWith(version: number): Reply {
  return { error: "conflict", detail: encodeNumberDetail(version) };
}

/** `too-large`: at most so many bytes would do. */
export function largerThan(most: number): Reply {
  return { error: "too-large", detail: encodeNumberDetail(most) };
}
