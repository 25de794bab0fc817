/** What a page shows when a browser came over plain http from another machine. `hydrate.ts` reveals it. */
export function NeedsHttps() {
  return (
    <main id="needs-https" class="notice" hidden>
      <div role="alert">
        <h1>This page needs https</h1>
        <p>
          Your browser only allows encryption on pages that come over https, and
          this one came over plain http. Nothing was started and nothing was
          sent.
        </p>
        <p>
          Open the https address of this server. If you run it yourself, the
          README's hosting guide shows how to give it one with{" "}
          <code>--tls-cert</code> and <code>--tls-key</code>{" "}
          or with Caddy; on the machine itself, <code>http://localhost</code>
          {" "}
          works without.
        </p>
      </div>
    </main>
  );
}
