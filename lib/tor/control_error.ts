/** Why the control port did not do what it was asked; one line, for the host to read. */
export class ControlError extends Error {
  override readonly name = "ControlError";

  /** `code`: of the refusal, when it was one. */
  constructor(message: string, readonly code?: number) {
    super(message);
  }
}
