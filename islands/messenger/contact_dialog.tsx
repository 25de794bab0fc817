/** What is asked before something about a contact is done. */
import "./contact_dialog.css";
import type { ComponentChildren, ComponentType } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import { fingerprint, goBack, place } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { onDemand } from "../parts/on_demand.tsx";
import { tellDone } from "../parts/undo.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import type { Asked, ContactTask } from "./contact_tasks.ts";
import { focusList } from "./focus_list.ts";

const words = textOnDemand.contact;

/** Codes and the camera: few people ask often. */
const VerifyDialog = onDemand(() =>
  import("../verify/verify_dialog.tsx").then((part) => part.VerifyDialog)
);

/** Few people have contacts at other servers. */
const NewCircuit = onDemand(() =>
  import("./new_circuit.tsx").then((part) => part.NewCircuit)
);

interface TaskProps {
  readonly view: ConversationView;
  readonly onClose: () => void;
}

const DIALOGS: Record<ContactTask, ComponentType<TaskProps>> = {
  verify: Verify,
  rename: Rename,
  circuit: NewCircuit,
  clear: Clear,
  block: Block,
  remove: Remove,
};

export function ContactDialog(
  { asked: { task, view }, onClose }: { asked: Asked; onClose: () => void },
) {
  const Task = DIALOGS[task];
  // The button that opened it may be gone with the contact.
  useLayoutEffect(() => () => queueMicrotask(focusList), []);
  return <Task view={view} onClose={onClose} />;
}

function Verify({ view, onClose }: TaskProps) {
  return <VerifyDialog contact={view.contact} onClose={onClose} />;
}

function Rename({ view: { contact }, onClose }: TaskProps) {
  const { name, chosenName } = contact.state.value;
  const [wanted, setWanted] = useState(name);
  const [wrong, setWrong] = useState(false);
  return (
    <Dialog title={words.renameTitle} onClose={onClose}>
      <form
        class="contact-form"
        onSubmit={async (event) => {
          event.preventDefault();
          try {
            await contact.rename(wanted);
            tellDone(words.renamed(contact.state.peek().name));
            onClose();
          } catch {
            setWrong(true);
          }
        }}
      >
        <Field
          label={words.renameLabel}
          hint={words.renameHint(chosenName)}
          value={wanted}
          maxLength={64}
          autocomplete="off"
          dir="auto"
          autofocus
          invalid={wrong}
          onInput={(event) => {
            setWanted(event.currentTarget.value);
            setWrong(false);
          }}
        />
        {wrong && <Mistake>{words.renameWrong}</Mistake>}
        <div class="dialog-actions">
          <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
          <Button look="primary" type="submit">{words.renameSubmit}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Clear({ view, onClose }: TaskProps) {
  const { name } = view.contact.state.value;
  return (
    <Confirm
      onClose={onClose}
      title={words.clearTitle(name)}
      action={words.clear}
      done={words.cleared}
      act={() => view.clear()}
    >
      <p>{words.clearBody(name)}</p>
    </Confirm>
  );
}

function Block({ view: { contact }, onClose }: TaskProps) {
  const { name } = contact.state.value;
  return (
    <Confirm
      onClose={onClose}
      title={words.blockTitle(name)}
      action={words.block}
      done={words.blocked(name)}
      act={() => contact.block()}
    >
      <p>{words.blockBody(name)}</p>
    </Confirm>
  );
}

function Remove({ view, onClose }: TaskProps) {
  const { name } = view.contact.state.value;
  return (
    <Confirm
      onClose={onClose}
      title={words.removeTitle(name)}
      action={words.remove}
      done={words.removed(name)}
      act={async () => {
        await view.contact.remove();
        if (place.peek().open === fingerprint(view.id)) goBack();
      }}
    >
      <p>{words.removeBody(name)}</p>
    </Confirm>
  );
}

/** Asks, and does it. */
export function Confirm(
  { title, action, look = "danger", done, act, onClose, children }: {
    onClose: () => void;
    title: string;
    action: string;
    look?: "danger" | "primary";
    done: string;
    act: () => Promise<void>;
    children: ComponentChildren;
  },
) {
  const [failed, setFailed] = useState(false);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {failed && <Mistake>{words.failed}</Mistake>}
      <div class="dialog-actions">
        <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
        <Button
          look={look}
          onClick={async () => {
            setFailed(false);
            try {
              await act();
              tellDone(done);
              onClose();
            } catch {
              setFailed(true);
            }
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
