/**
 * Overwrites secrets with zeros. JavaScript may have copied them before (a
 * moving collector, a string, an engine's spill), so this shortens a secret's
 * life; it is no proof that it is gone.
 */
export function wipe(...secrets: Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
