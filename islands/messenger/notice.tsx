/** Something a person should know, above the list, and what can be done about it. */
import "./notice.css";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { focusList } from "./focus_list.ts";

export function Notice(
  { title, warm, children, actions }: {
    title: string;
    warm?: boolean;
    children?: ComponentChildren;
    actions: ComponentChildren;
  },
) {
  const card = useRef<HTMLDivElement>(null);
  const within = useRef(false);
  // A button that was pressed may be gone for what came of it, or with all of this.
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (within.current && activeElement === body) card.current?.focus();
  });
  useLayoutEffect(() => () => {
    if (within.current) queueMicrotask(focusList);
  }, []);
  return (
    <div
      ref={card}
      tabIndex={-1}
      onFocusIn={() => {
        within.current = true;
      }}
      onFocusOut={({ relatedTarget }) => {
        // It goes nowhere when what had it is taken away.
        if (relatedTarget) within.current = false;
      }}
      class={`notice-card${warm ? " notice-card-warm" : ""}`}
      role="status"
    >
      <strong>{title}</strong>
      {children}
      <div class="notice-card-actions">{actions}</div>
    </div>
  );
}
