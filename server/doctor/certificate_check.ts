/** The certificate of --tls-cert and --tls-key: readable, a pair, for the right name, and for how long. */
import { X509Certificate } from "node:crypto";
import { readCertificate } from "../certificate.ts";
import type { Options } from "../command_line.ts";
import { UsageError } from "../usage_error.ts";
import { type Finding, findings } from "./finding.ts";

const DAY_MS = 86_400_000;

/** Below this, a renewal is late. */
const SOON_DAYS = 14;

export async function checkCertificate(
  { tls, publicUrl }: Pick<Options, "tls" | "publicUrl">,
  now: number,
): Promise<Finding> {
  const { ok, warning, failed } = findings("certificate");
  if (tls === undefined) {
    return ok(
      publicUrl?.startsWith("https:")
        ? "none here: a proxy has it."
        : "none: plain http.",
    );
  }
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate((await readCertificate(tls)).cert);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return failed(error.message);
  }
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const name = publicUrl === undefined
    ? undefined
    : new URL(publicUrl).hostname;
  if (name !== undefined && leaf.checkHost(name) === undefined) {
    return failed(
      `${tls.cert} is not for ${name} but for ${leaf.subjectAltName}: get one for that name.`,
    );
  }
  if (now < from) {
    return failed(`${tls.cert} is valid only from ${leaf.validFrom}.`);
  }
  const days = Math.floor((to - now) / DAY_MS);
  if (days < 0) {
    return failed(
      `${tls.cert} expired on ${leaf.validTo}: renew it, and start the relay again.`,
    );
  }
  if (days < SOON_DAYS) {
    return warning(
      `${tls.cert} expires in ${days} days: renew it, and start the relay again.`,
    );
  }
  return ok(`${tls.cert} fits its key and is valid for ${days} days.`);
}
