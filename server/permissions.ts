/** What the program may do, whichever way it is packed: talk, read its settings, keep its data, start Tor. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--unstable-kv",
  "--allow-net",
  "--allow-env",
  "--allow-sys=umask,statfs",
  "--allow-read",
  "--allow-write",
  "--allow-run=tor",
];
