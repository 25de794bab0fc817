/** The password of a private relay, from where the options say it is. */
import type { Options } from "./command_line.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The password, or undefined when the relay is for everybody. Of a file it is the first line.
 * @throws {UsageError} when the file can't be read or begins with an empty line. Never names the password.
 */
export async function readPassword(
  access: Options["access"],
): Promise<string | undefined> {
  if (access === undefined) return undefined;
  if ("password" in access) return access.password;
  const { file } = access;
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`The file ${file} of --access-file can't be read.`, {
      cause: error,
    });
  }
  const [line] = text.split(/\r?\n/, 1);
  if (line === "") {
    throw new UsageError(
      `The file ${file} of --access-file must begin with the password.`,
    );
  }
  return line;
}
