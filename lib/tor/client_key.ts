/** Client authorisation: who has such a key finds the service and connects; to everybody else it does not exist. */
import { x25519 } from "@noble/curves/ed25519.js";
import { toBase32 } from "./base32.ts";

/** X25519, each in base32 of 52 characters. */
export interface ClientKey {
  /** For the one who is let in: what Tor Browser asks for. */
  readonly secret: string;
  /** For the service. */
  readonly public: string;
}

export function newClientKey(): ClientKey {
  const { secretKey, publicKey } = x25519.keygen();
  return { secret: toBase32(secretKey), public: toBase32(publicKey) };
}

/** The public key in a file as Tor keeps them (`descriptor:x25519:KEY`); undefined when it is none. */
export function parseClientFile(text: string): string | undefined {
  const [, key] = /^descriptor:x25519:([a-z2-7]{52})\s*$/i.exec(text) ?? [];
  return key?.toLowerCase();
}

export function clientFile(publicKey: string): string {
  return `descriptor:x25519:${publicKey}\n`;
}
