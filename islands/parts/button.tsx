/** Buttons: with words, or with an icon and a name that is said but not shown. */
import "./button.css";
import type { ButtonHTMLAttributes, ComponentChildren } from "preact";

type Plain = Omit<ButtonHTMLAttributes, "class" | "label" | "icon">;

export function Button(
  { look = "plain", small, children, ...rest }: Plain & {
    look?: "plain" | "primary" | "outline" | "quiet" | "danger";
    small?: boolean;
    children: ComponentChildren;
  },
) {
  return (
    <button
      type="button"
      class={`button button-${look}${small ? " button-small" : ""}`}
      {...rest}
    >
      {children}
    </button>
  );
}

/** `label` is its accessible name and its tooltip. */
export function IconButton(
  { label, children, ...rest }: Plain & {
    label: string;
    children: ComponentChildren;
  },
) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      {...rest}
    >
      {children}
    </button>
  );
}
