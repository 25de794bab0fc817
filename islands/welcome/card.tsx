/** One card on a calm page: the frame of every screen outside the messenger. */
import "./page.css";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";

/**
 * `takeFocus`: the screen replaces another, so reading goes on at its title, or where a field asks
 * for the focus.
 */
export function Card(
  { title, lead, takeFocus, children }: {
    title: string;
    lead?: string;
    takeFocus?: boolean;
    children?: ComponentChildren;
  },
) {
  const card = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!takeFocus) return;
    const field = card.current?.querySelector<HTMLElement>("[autofocus]");
    (field ?? heading.current)?.focus();
  }, []);
  return (
    <main class="page" ref={card}>
      <div class="card">
        <header class="card-head">
          <p class="card-brand">
            <Logo size={28} /> {text.app}
          </p>
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead && <p class="card-lead">{lead}</p>}
        </header>
        {children}
      </div>
    </main>
  );
}
