/** The password of a private relay, from where the options say it is. */
import type { Options } from "./command_line.ts";
import { readSecret } from "./secret_file.ts";

/**
 * The password, or undefined when the relay is for everybody. Of a file it is the first line.
 * @throws {UsageError} when the file can't be read or begins with an empty line. Never names the password.
 */
export async function readPassword(
  access: Options["access"],
): Promise<string | undefined> {
  if (access === undefined) return undefined;
  if ("password" in access) return access.password;
  return await readSecret(access.file, "--access-file");
}
