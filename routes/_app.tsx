import type { ComponentType } from "preact";
import { NeedsHttps } from "../lib/web/needs_https.tsx";

/** The document around every page. The build links the scripts and style sheets each page needs. */
export default function App(
  { title, Component }: { title?: string; Component: ComponentType },
) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content="dark light" />
        <meta name="theme-color" content="#111929" />
        <script src="/theme.js" />
        <script src="/press.js" />
        <title>{title ? `${title} · Whisper` : "Whisper"}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="manifest" href="/manifest.webmanifest" />
      </head>
      <body>
        <NeedsHttps />
        <noscript>
          <p class="notice">
            Whisper encrypts in your browser and needs JavaScript to do it.
          </p>
        </noscript>
        <Component />
      </body>
    </html>
  );
}
