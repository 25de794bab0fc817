/** A password in a file, so that no list of processes shows it. */
import { UsageError } from "./usage_error.ts";

/**
 * The first line of the file that `option` names.
 * @throws {UsageError} when it can't be read or begins with an empty line. Never says what is in it.
 */
export async function readSecret(
  file: string,
  option: string,
): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`The file ${file} of ${option} can't be read.`, {
      cause: error,
    });
  }
  const [line] = text.split(/\r?\n/, 1);
  if (line !== "") return line;
  throw new UsageError(
    `The file ${file} of ${option} must begin with the password.`,
  );
}
