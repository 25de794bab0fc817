/** The button for everything that can be done about a contact, at the head of the conversation and in the list. */
import type { Signal } from "@preact/signals";
import { EllipsisVertical } from "lucide-preact";
import { useRef } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import { IconButton } from "../parts/button.tsx";
import { onDemand } from "../parts/on_demand.tsx";

const ContactItems = onDemand(async () =>
  (await import("./contact_items.tsx")).ContactItems
);

/** `view` is called when the menu opens. `open` is the caller's, who may open it by other ways too. */
export function ContactMenu(
  { view, label, open }: {
    view: () => ConversationView | undefined;
    label: string;
    open: Signal<boolean>;
  },
) {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <IconButton
        ref={button}
        label={label}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <EllipsisVertical size={20} />
      </IconButton>
      {open.value && (
        <ContactItems
          view={view}
          label={label}
          anchor={() => button.current}
          onClose={() => {
            open.value = false;
          }}
        />
      )}
    </>
  );
}
