import type { Codec } from "./storage/mod.ts";

const BYTES = "base64:";

/**
 * Records of plain data (objects, arrays, strings, numbers, bytes) as JSON, bytes as marked base64.
 * The vault authenticates what it gives back and migrates older schemas, so decoding yields what
 * this program encoded: that is why `T` is asserted and not checked.
 */
export function plain<T>(): Codec<T> {
  return {
    encode: (value) =>
      new TextEncoder().encode(JSON.stringify(value, (_key, field) => {
        if (field instanceof Uint8Array) return BYTES + toBase64(field);
        // Every other string is marked too, so that none can be taken for bytes.
        return typeof field === "string" ? `:${field}` : field;
      })),
    decode: (bytes) =>
      JSON.parse(new TextDecoder().decode(bytes), (_key, field) => {
        if (typeof field !== "string") return field;
        return field.startsWith(":")
          ? field.slice(1)
          : fromBase64(field.slice(BYTES.length));
      }),
  };
}

/** Records that are bytes already. */
export const raw: Codec<Uint8Array> = {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  // Not by `Uint8Array.from`, which takes ten times as long: some records hold a hundred of these.
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
