/** Tests that run against every adapter, in Deno and in a browser: so without `node:assert`. */
export interface ContractCase<Subject> {
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

/** Compares by structure; byte arrays, undefined and plain data only. */
export function same(actual: unknown, expected: unknown): void {
  const [a, b] = [described(actual), described(expected)];
  if (a !== b) throw new Error(`got ${a}, expected ${b}`);
}

/** The error must be one of `kind`. */
export async function refused(
  work: Promise<unknown>,
  kind: new (...args: never[]) => Error,
): Promise<void> {
  const outcome = await work.then(() => "nothing", (error: unknown) => error);
  if (!(outcome instanceof kind)) {
    throw new Error(`got ${outcome}, expected a ${kind.name}`, {
      cause: outcome,
    });
  }
}

function described(value: unknown): string {
  return JSON.stringify(value, (_key, field) => {
    if (field instanceof Uint8Array) return `bytes ${[...field].join(" ")}`;
    return field === undefined ? "undefined" : field;
  }) ?? "undefined";
}
