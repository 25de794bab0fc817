/** The closed list of answers that are not OK, with their numbers on the wire. */
export const ERROR_CODES = {
  "malformed": 1,
  "unauthorised": 2,
  "no-such-queue": 3,
  "full": 4,
  "too-large": 5,
  "rate": 6,
  "busy": 7,
  "version": 8,
  "replaced": 9,
  "conflict": 10,
  "work": 11,
  "no-such-rendezvous": 12,
  "taken": 13,
  "unsupported": 14,
  "unknown-handle": 15,
  "no-such-blob": 16,
  "access": 17,
  "stale": 18,
  "unreachable": 19,
  "forbidden": 20,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

// Object.entries widens keys to string; these are exactly the keys above.
const NAMES = new Map(
  Object.entries(ERROR_CODES).map((
    [name, code],
  ) => [code as number, name as ErrorName]),
);

export function errorName(code: number): ErrorName | undefined {
  return NAMES.get(code);
}
