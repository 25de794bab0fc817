/** The headers on every response, whatever answers it. */

export interface HeaderOptions {
  /** People reach this server over TLS: browsers are told to insist on it. */
  readonly tls: boolean;
  /** Hot reload inserts style elements; nothing else is loosened for development. */
  readonly development?: boolean;
}

/**
 * Every feature that Chromium 156 knows, the client hints among them. A page of ours may use those of
 * `ALLOWED`; the rest is refused to it and to every frame.
 */
const FEATURES = `
  accelerometer aria-notify autoplay browsing-topics camera
  captured-surface-control ch-device-memory ch-downlink ch-dpr ch-ect
  ch-prefers-color-scheme ch-prefers-reduced-motion
  ch-prefers-reduced-transparency ch-rtt ch-save-data ch-ua ch-ua-arch
  ch-ua-bitness ch-ua-form-factors ch-ua-full-version ch-ua-full-version-list
  ch-ua-high-entropy-values ch-ua-mobile ch-ua-model ch-ua-platform
  ch-ua-platform-version ch-ua-wow64 ch-viewport-height ch-viewport-width
  ch-width clipboard-read clipboard-write compute-pressure
  cross-origin-isolated deferred-fetch deferred-fetch-minimal
  digital-credentials-create digital-credentials-get display-capture
  encrypted-media fullscreen gamepad geolocation gyroscope hid
  identity-credentials-get idle-detection interest-cohort keyboard-map
  language-detector language-model local-fonts local-network
  local-network-access loopback-network magnetometer
  media-playback-while-not-visible microphone midi
  on-device-speech-recognition otp-credentials payment picture-in-picture
  private-state-token-issuance private-state-token-redemption
  publickey-credentials-create publickey-credentials-get screen-wake-lock
  serial speaker-selection storage-access summarizer sync-xhr translator
  unload usb window-management xr-spatial-tracking
`.trim().split(/\s+/);

/**
 * Copying an invite code; a passkey as lock; scanning a safety number. The camera's picture plays by
 * itself, for allowing it may take longer than a press counts; and without the last of these Chromium
 * plays nothing in a page it takes for hidden, headless ones among them.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  "autoplay",
  "camera",
  "clipboard-write",
  "publickey-credentials-create",
  "publickey-credentials-get",
  "media-playback-while-not-visible",
]);

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
