/** Everything that can be done about a contact, as a menu. */
import {
  Archive,
  ArchiveRestore,
  Ban,
  Bell,
  BellOff,
  Eraser,
  Pencil,
  Trash,
  UserRoundCheck,
} from "lucide-preact";
import type { ConversationView } from "../../lib/client/view.ts";
import { Menu, type MenuItem } from "../parts/menu.tsx";
import { tellDone } from "../parts/undo.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { ask } from "./contact_tasks.ts";

const words = textOnDemand.contact;

/** `view` is called once: a conversation that is looked at is loaded. */
export function ContactItems(
  { view, label, anchor, onClose }: {
    view: () => ConversationView | undefined;
    label: string;
    anchor: () => HTMLElement | null;
    onClose: () => void;
  },
) {
  const now = view();
  return (
    <Menu
      label={label}
      items={now ? itemsOf(now) : []}
      anchor={anchor}
      onClose={onClose}
    />
  );
}

function itemsOf(view: ConversationView): MenuItem[] {
  const { contact } = view;
  const { name, muted, archived, blocked } = contact.state.value;
  return [
    { label: words.rename, icon: Pencil, onSelect: () => ask("rename", view) },
    {
      label: muted ? words.unmute : words.mute,
      icon: muted ? Bell : BellOff,
      onSelect: () =>
        decide(
          view,
          muted ? words.unmuted(name) : words.muted(name),
          (back) => contact.setMuted(muted === back),
        ),
    },
    {
      label: archived ? words.unarchive : words.archive,
      icon: archived ? ArchiveRestore : Archive,
      onSelect: () =>
        decide(
          view,
          archived ? words.unarchived(name) : words.archived(name),
          (back) => contact.setArchived(archived === back),
        ),
    },
    { label: words.clear, icon: Eraser, onSelect: () => ask("clear", view) },
    blocked
      ? {
        label: words.unblock,
        icon: UserRoundCheck,
        onSelect: () => void contact.unblock(),
      }
      : {
        label: words.block,
        icon: Ban,
        danger: true,
        onSelect: () => ask("block", view),
      },
    {
      label: words.remove,
      icon: Trash,
      danger: true,
      onSelect: () => ask("remove", view),
    },
  ];
}

/** Does what can be taken back, and offers to. `set(true)` takes it back. */
async function decide(
  view: ConversationView,
  done: string,
  set: (back: boolean) => Promise<void>,
): Promise<void> {
  await set(false);
  tellDone(done, {
    conversation: view.id,
    decided: view.contact.state.peek(),
    undo: () => set(true),
  });
}
