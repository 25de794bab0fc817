/** What a check of the doctor found: one line, and what to do when it is not well. */
export interface Finding {
  readonly level: "ok" | "warning" | "failed";
  /** What was looked at. */
  readonly check: string;
  readonly text: string;
}

/** Findings of one check. */
export function findings(check: string) {
  const say = (level: Finding["level"]) => (text: string): Finding => ({
    level,
    check,
    text,
  });
  return { ok: say("ok"), warning: say("warning"), failed: say("failed") };
}

/** As a line. */
export function lineOf({ level, check, text }: Finding): string {
  return `${level.padEnd(8)} ${check}: ${text.replace(/\s+/g, " ")}`;
}

/** What an error says, or what caused it: "fetch failed" tells nobody what to do. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
