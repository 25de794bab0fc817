/** Something a person should know, above the list, and what can be done about it. */
import "./notice.css";
import type { ComponentChildren } from "preact";

export function Notice(
  { title, warm, children, actions }: {
    title: string;
    warm?: boolean;
    children?: ComponentChildren;
    actions: ComponentChildren;
  },
) {
  return (
    <div
      class={`notice-card${warm ? " notice-card-warm" : ""}`}
      role="status"
    >
      <strong>{title}</strong>
      {children}
      <div class="notice-card-actions">{actions}</div>
    </div>
  );
}
