/** What the program may do, whichever way it is packed: talk, read its settings, keep its data, start Tor. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--unstable-kv",
  "--allow-net",
  "--allow-env",
  "--allow-sys=umask,statfs",
  "--allow-read",
  "--allow-write",
  // By its name as it is found at the start, and where it comes to be when it is installed after that.
  "--allow-run=tor,/usr/bin/tor,/usr/sbin/tor,/usr/local/bin/tor,/opt/homebrew/bin/tor",
];
