import { deepEqual, equal } from "node:assert/strict";
import type { ComponentType } from "preact";
import { renderToString } from "preact-render-to-string";
import { markIslands } from "./island.ts";
import { renderPage } from "./page.ts";

function Inner({ word }: { word: string }) {
  return <b>{word}</b>;
}
function Outer({ words }: { words: string[] }) {
  return (
    <ul>
      {words.map((word) => (
        <li key={word}>
          <Inner word={word} />
        </li>
      ))}
    </ul>
  );
}
function Shell(
  { title, Component }: { title?: string; Component: ComponentType },
) {
  return (
    <html>
      <head>
        <title>{title}</title>
      </head>
      <body>
        <Component />
      </body>
    </html>
  );
}

const rendered: string[] = [];
// Islands take the props they declare; the registry knows them only as records.
markIslands({
  "/islands/outer.tsx": {
    default: Outer as unknown as ComponentType<Record<string, unknown>>,
  },
  "/islands/inner.tsx": {
    default: Inner as unknown as ComponentType<Record<string, unknown>>,
  },
}, (path) => rendered.push(path));

Deno.test("an island is marked with its module and props; one inside another is part of it", () => {
  rendered.length = 0;
  equal(
    renderToString(
      <main>
        <Outer words={["a", 'b"']} />
      </main>,
    ),
    '<main><is-land data-path="/islands/outer.tsx" data-props="{&quot;words&quot;:[&quot;a&quot;,&quot;b\\&quot;&quot;]}">' +
      "<ul><li><b>a</b></li><li><b>b&quot;</b></li></ul></is-land></main>",
  );
  deepEqual(rendered, ["/islands/outer.tsx"]);
});

Deno.test("a page links what its own islands need, each file once", async () => {
  rendered.length = 0;
  const html = await renderPage(
    Shell,
    {
      title: "Two",
      default: () => (
        <main>
          <Inner word="x" />
          <Inner word="y" />
        </main>
      ),
    },
    {
      entry: { scripts: ["/assets/entry.js"], styles: ["/assets/base.css"] },
      islands: {
        "/islands/inner.tsx": {
          scripts: ["/assets/inner.js", "/assets/entry.js"],
          styles: ["/assets/inner.css"],
        },
        "/islands/outer.tsx": { scripts: ["/assets/outer.js"], styles: [] },
      },
    },
    () => rendered,
  );
  equal(
    html.slice(0, html.indexOf("</head>")),
    '<!doctype html><html><head><title>Two</title><link rel="stylesheet" href="/assets/base.css">' +
      '<link rel="stylesheet" href="/assets/inner.css"><script type="module" src="/assets/entry.js"></script>' +
      '<link rel="modulepreload" href="/assets/inner.js">',
  );
});
