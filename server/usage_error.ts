/** What was asked for can't be done as asked; the message is the line to show. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
