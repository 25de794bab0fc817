/** The headers on every response, whatever answers it. */

export interface HeaderOptions {
  /** People reach this server over TLS: browsers are told to insist on it. */
  readonly tls: boolean;
  /** Hot reload inserts style elements; nothing else is loosened for development. */
  readonly development?: boolean;
}

/** Features a page could ask for. We use those of `ALLOWED` and refuse the rest, in every frame. */
const FEATURES = [
  "accelerometer",
  "ambient-light-sensor",
  "attribution-reporting",
  "autoplay",
  "bluetooth",
  "browsing-topics",
  "camera",
  "clipboard-read",
  "clipboard-write",
  "compute-pressure",
  "cross-origin-isolated",
  "display-capture",
  "encrypted-media",
  "fullscreen",
  "gamepad",
  "geolocation",
  "gyroscope",
  "hid",
  "identity-credentials-get",
  "idle-detection",
  "keyboard-map",
  "local-fonts",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "picture-in-picture",
  "publickey-credentials-create",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "storage-access",
  "sync-xhr",
  "unload",
  "usb",
  "window-management",
  "xr-spatial-tracking",
] as const;

/** Copying an invite code. */
const ALLOWED: ReadonlySet<string> = new Set(["clipboard-write"]);

function contentSecurityPolicy(development: boolean): string {
  return Object.entries({
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": development ? "'self' 'unsafe-inline'" : "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    // Covers the WebSocket of the same origin.
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "whisper",
  }).map(([directive, value]) => `${directive} ${value}`).join("; ");
}

/** Name (lower case) and value of every header that each response carries. */
export function securityHeaders(
  options: HeaderOptions,
): Readonly<Record<string, string>> {
  return {
    "content-security-policy": contentSecurityPolicy(
      options.development ?? false,
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "permissions-policy": FEATURES
      .map((feature) => `${feature}=${ALLOWED.has(feature) ? "(self)" : "()"}`)
      .join(", "),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...options.tls ? { "strict-transport-security": "max-age=31536000" } : {},
  };
}
