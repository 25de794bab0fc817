/**
 * What can be done about a message. One menu for all of a conversation: the messages' buttons, a right
 * click and a finger that stays on a message open it; with the keyboard one comes to a button by Tab, and
 * from it to the others by the arrows.
 */
import { Copy, Pencil, Trash } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { ConversationView, MessageView } from "../../lib/client/view.ts";
import { announce } from "../parts/loudspeaker.tsx";
import { Menu, type MenuItem } from "../parts/menu.tsx";
import { onDemand } from "../parts/on_demand.tsx";
import { text } from "../text/mod.ts";
import { findOpeners, type Opener } from "./message_openers.ts";

const words = text.message;

const DeleteDialog = onDemand(async () =>
  (await import("./delete_dialog.tsx")).DeleteDialog
);

interface Opened extends Opener {
  readonly message: MessageView;
}

export function MessageOptions(
  { view, log }: {
    view: ConversationView;
    log: { readonly current: HTMLElement | null };
  },
) {
  const [opened, setOpened] = useState<Opened>();
  /** Id of the message that is to be deleted, once that was confirmed. */
  const [deleting, setDeleting] = useState<string>();

  useEffect(() => {
    if (!log.current) return;
    return findOpeners(log.current, (opener) => {
      const message = view.messages.peek()
        .findLast(({ id }) => id === opener.button.value);
      if (message) setOpened({ ...opener, message });
    });
  }, [view]);

  useEffect(() => {
    if (!opened) return;
    const { button } = opened;
    button.setAttribute("aria-expanded", "true");
    return () => button.removeAttribute("aria-expanded");
  }, [opened]);

  useEffect(() => {
    // The button that the focus was to go back to went with what was deleted.
    if (deleting || document.activeElement !== document.body) return;
    log.current?.focus({ preventScroll: true });
  }, [deleting]);

  return (
    <>
      {opened && (
        <Menu
          label={words.options}
          items={itemsOf(view, opened.message, setDeleting)}
          anchor={() => opened.button}
          at={opened.at}
          onClose={() => setOpened(undefined)}
        />
      )}
      {deleting && (
        <DeleteDialog
          view={view}
          id={deleting}
          onClose={() => setDeleting(undefined)}
        />
      )}
    </>
  );
}

function itemsOf(
  view: ConversationView,
  { id, mine, body }: MessageView,
  onDelete: (id: string) => void,
): MenuItem[] {
  if (body.kind !== "text") return [];
  const copying = {
    label: words.copy,
    icon: Copy,
    onSelect: () => void copy(body.text),
  };
  // Of what others have written nothing can be changed; nor is there anybody to tell once one has parted.
  if (!mine || !view.contact.state.peek().connected) return [copying];
  return [
    {
      label: words.edit,
      icon: Pencil,
      onSelect: () => view.setEditing({ id, text: body.text }),
    },
    copying,
    {
      label: words.delete,
      icon: Trash,
      danger: true,
      onSelect: () => onDelete(id),
    },
  ];
}

async function copy(words: string): Promise<void> {
  const copied = await navigator.clipboard.writeText(words)
    .then(() => true, () => false);
  const { editing } = (await import("../text/on_demand.ts")).textOnDemand;
  announce(copied ? editing.copied : editing.notCopied);
}
