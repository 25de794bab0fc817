/**
 * Passkeys that compute secrets: WebAuthn with its PRF extension. Nothing of a person is stored with
 * one: authenticators sync what they are told to wherever their maker likes.
 */
import { NoPasskeyError, type Passkeys } from "../../lib/client/lock/mod.ts";
import { text } from "../text/mod.ts";

/** ES256 and RS256, which between them every authenticator knows; the signatures are not looked at. */
const ALGORITHMS = [-7, -257];

const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));

/** Throws `NoPasskeyError` when none answers. Only where the browser has passkeys. */
export const webPasskeys: Passkeys = {
  async create(salt) {
    const made = await asked(() =>
      navigator.credentials.create({
        publicKey: {
          challenge: random(32),
          rp: { name: text.app },
          user: { id: random(16), name: text.app, displayName: text.app },
          pubKeyCredParams: ALGORITHMS.map((alg) => ({
            type: "public-key",
            alg,
          })),
          authenticatorSelection: {
            residentKey: "discouraged",
            userVerification: "required",
          },
          extensions: { prf: { eval: { first: salt.slice() } } },
        },
      })
    );
    const credential = new Uint8Array(made.rawId);
    // Some authenticators compute nothing while they make a passkey; asked again they do.
    const secret = secretIn(made) ?? await webPasskeys.secret(credential, salt);
    return { credential, secret };
  },

  async secret(credential, salt) {
    const found = await asked(() =>
      navigator.credentials.get({
        publicKey: {
          challenge: random(32),
          allowCredentials: [{ type: "public-key", id: credential.slice() }],
          userVerification: "required",
          extensions: { prf: { eval: { first: salt.slice() } } },
        },
      })
    );
    const secret = secretIn(found);
    if (!secret) throw new NoPasskeyError();
    return secret;
  },
};

async function asked(
  ask: () => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  try {
    const credential = await ask();
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (cause) {
    // Called off, timed out, not allowed here, not known: for the person all the same.
    if (!(cause instanceof DOMException)) throw cause;
    throw new NoPasskeyError({ cause });
  }
  throw new NoPasskeyError();
}

function secretIn(credential: PublicKeyCredential): Uint8Array | undefined {
  const first = credential.getClientExtensionResults().prf?.results?.first;
  if (!first) return undefined;
  return ArrayBuffer.isView(first)
    ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength).slice()
    : new Uint8Array(first);
}
