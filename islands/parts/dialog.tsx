/** A modal dialog on the platform's own: it traps focus, closes on Escape and gives focus back. */
import "./dialog.css";
import { X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../text/mod.ts";
import { IconButton } from "./button.tsx";

export function Dialog(
  { title, onClose, children }: {
    title: string;
    onClose: () => void;
    children: ComponentChildren;
  },
) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.showModal();
    // Not the close button, which comes first: reading starts at the title, if no field was asked for.
    const field = element.querySelector<HTMLElement>("[autofocus]");
    (field ?? heading.current)?.focus();
    // close() is what hands the focus back to the button that opened the dialog.
    return () => element.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Only the backdrop is the dialog itself; all else is inside it.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-head">
        <h2 class="dialog-title" id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <IconButton label={text.common.close} onClick={onClose}>
          <X size={22} />
        </IconButton>
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
