/** The password of a private relay: there, long enough, and not for others to read. */
import { readPassword } from "../access_password.ts";
import type { Options } from "../command_line.ts";
import { UsageError } from "../usage_error.ts";
import { type Finding, findings } from "./finding.ts";

/** Characters below which who saw one proof finds it by trying. */
const SHORT = 12;

const { ok, warning, failed } = findings("password");

/** Tells nothing of the password itself. */
export async function checkAccess(
  { access }: Pick<Options, "access">,
): Promise<Finding> {
  let password: string | undefined;
  try {
    password = await readPassword(access);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return failed(error.message);
  }
  if (access === undefined || password === undefined) {
    return ok("none: whoever reaches the relay may use it.");
  }
  const wrong: string[] = [];
  if ("file" in access) {
    const { mode } = await Deno.stat(access.file);
    if (Deno.build.os !== "windows" && ((mode ?? 0) & 0o077) !== 0) {
      wrong.push(
        `others on this machine can read ${access.file}: chmod 600 ${access.file}.`,
      );
    }
  }
  if ([...password].length < SHORT) {
    wrong.push(
      `it is short: take one of ${SHORT} characters or more, best some words.`,
    );
  }
  return wrong.length > 0
    ? warning(wrong.join(" And "))
    : ok("the relay is private.");
}
