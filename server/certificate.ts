/** The certificate of `--tls-cert` and `--tls-key`, checked before anything listens with it. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { UsageError } from "./usage_error.ts";

/** PEM texts: the chain, and the private key of its first certificate. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads both files.
 * @throws {UsageError} when one can't be read, is not PEM, or the two do not belong together.
 */
export async function readCertificate(
  paths: { readonly cert: string; readonly key: string },
): Promise<Certificate> {
  const cert = await read("--tls-cert", paths.cert);
  const key = await read("--tls-key", paths.key);
  const leaf = parse(
    "--tls-cert",
    paths.cert,
    "a certificate",
    () => new X509Certificate(cert),
  );
  const secret = parse(
    "--tls-key",
    paths.key,
    "a private key",
    () => createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(secret)) {
    throw new UsageError(
      `The key in ${paths.key} is not the one of the certificate in ${paths.cert}.`,
    );
  }
  return { cert, key };
}

async function read(option: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`The file ${path} of ${option} can't be read.`, {
      cause: error,
    });
  }
}

function parse<T>(
  option: string,
  path: string,
  what: string,
  parser: () => T,
): T {
  try {
    return parser();
  } catch (error) {
    throw new UsageError(
      `The file ${path} of ${option} is not ${what} in PEM.`,
      { cause: error },
    );
  }
}
