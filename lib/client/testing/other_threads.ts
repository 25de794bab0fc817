/** What is computed on other threads, counted: while something is, nothing has come to rest. */

/** Operations of WebCrypto under way in this process. */
let computing = 0;

/** Whether WebCrypto is at work on anything. */
export function isComputing(): boolean {
  return computing > 0;
}

type Operation = (this: SubtleCrypto, ...given: unknown[]) => Promise<unknown>;

for (
  const [name, { value }] of Object.entries(
    Object.getOwnPropertyDescriptors(SubtleCrypto.prototype),
  )
) {
  if (typeof value !== "function" || name === "constructor") continue;
  const operation: Operation = value;
  Object.defineProperty(SubtleCrypto.prototype, name, {
    value: function (this: SubtleCrypto, ...given: unknown[]) {
      computing++;
      return operation.apply(this, given).finally(() => computing--);
    },
    configurable: true,
    writable: true,
  });
}
