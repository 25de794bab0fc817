/**
 * Where messages are written, and written anew. What is written here is never lost: it is a draft until
 * it is a message, and the draft waits while a message is being edited.
 */
import "./composer.css";
import { useSignal } from "@preact/signals";
import { SendHorizontal } from "lucide-preact";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ConversationView, Editing } from "../../lib/client/view.ts";
import { Mistake } from "../parts/field.tsx";
import { fetched } from "../parts/on_demand.tsx";
import { text } from "../text/mod.ts";
import { hasTouchKeyboard } from "../touch.ts";

const words = text.composer;

// The field shows the text all the same.
const EditBar = fetched(
  async () => (await import("./edit_bar.tsx")).EditBar,
  () => null,
);

/** Element id of what says that a message is being edited. */
const EDIT_BAR = "edit-bar";

export function Composer(
  { view, field, onSent }: {
    view: ConversationView;
    field: RefObject<HTMLTextAreaElement | null>;
    onSent: () => void;
  },
) {
  const [mistake, setMistake] = useState<string>();
  const editing = view.editing.value;
  const draft = view.draft.value;
  /** What was sent and is not in the log yet. */
  const leaving = useSignal<string | undefined>(undefined);
  const written = leaving.value ?? editing?.text ?? draft;
  useGrowth(field, written);
  useFieldFor(field, editing?.id);

  const cancel = () => {
    setMistake(undefined);
    view.setEditing(undefined);
    field.current?.focus();
  };

  const send = async () => {
    // As it is now, not as it was when this was drawn: Enter may follow a letter at once.
    const editing = view.editing.peek();
    const written = editing?.text ?? view.draft.peek();
    if (written.trim() === "") return;
    setMistake(undefined);
    field.current?.focus();
    // It goes from here to the log in one frame: to draw another one first would hold up its commit.
    leaving.value = written;
    try {
      if (editing) await view.edit(editing.id, written.trim());
      else {
        await view.send(written.trim());
        onSent();
      }
    } catch (error) {
      if (!editing) {
        // Back where it was written, above whatever was begun meanwhile.
        const begun = view.draft.peek();
        view.setDraft(begun === "" ? written : `${written}\n${begun}`);
      }
      setMistake(
        error instanceof Error && error.name === "TextTooLongError"
          ? words.tooLong
          : words.refused,
      );
    } finally {
      if (leaving.peek() === written) leaving.value = undefined;
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {mistake && <Mistake>{mistake}</Mistake>}
      {editing && (
        <EditBar
          view={view}
          editing={editing}
          id={EDIT_BAR}
          onCancel={cancel}
        />
      )}
      <div class="composer-row">
        <textarea
          ref={field}
          class="composer-field"
          aria-label={words.label}
          aria-describedby={editing && EDIT_BAR}
          placeholder={words.placeholder}
          rows={1}
          dir="auto"
          // Else Chromium keeps what was begun here in its session files, in clear.
          autocomplete="off"
          enterkeyhint={hasTouchKeyboard() ? "enter" : "send"}
          value={written}
          onBeforeInput={({ currentTarget }) => {
            if (leaving.peek() === undefined) return;
            // What is written now is the next message, or the draft that waited.
            leaving.value = undefined;
            currentTarget.value = view.draft.peek();
          }}
          onInput={(event) => {
            setMistake(undefined);
            leaving.value = undefined;
            const { value } = event.currentTarget;
            const now = view.editing.peek();
            if (now) view.setEditing({ ...now, text: value });
            else view.setDraft(value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape" && editing && !endsComposition(event)) {
              cancel();
            }
            const empty = event.currentTarget.value === "" && !editing;
            const last = event.key === "ArrowUp" && empty && lastOwnText(view);
            if (last) {
              event.preventDefault();
              view.setEditing(last);
            }
            if (event.key !== "Enter" || event.shiftKey) return;
            if (endsComposition(event)) return;
            if (hasTouchKeyboard()) return;
            event.preventDefault();
            void send();
          }}
        />
        {/* Never disabled, so that it keeps its place in the tab order and the focus when it was pressed. */}
        <button
          type="submit"
          class="composer-send"
          aria-label={words.send}
          title={words.send}
          aria-disabled={written.trim() === ""}
        >
          <SendHorizontal size={21} aria-hidden="true" />
        </button>
      </div>
    </form>
  );
}

/**
 * Whether Enter takes a word over from an input method instead of ending the message. Safari has
 * ended the composition by then; there the key code of such keys, 229, still tells.
 */
function endsComposition(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** The last that the person has written. */
function lastOwnText(view: ConversationView): Editing | undefined {
  for (const { id, mine, body } of view.messages.peek().toReversed()) {
    if (mine && body.kind === "text") return { id, text: body.text };
  }
}

/** Whoever begins to edit is in the field, at the text's end; who only opens the conversation may not be. */
function useFieldFor(
  field: RefObject<HTMLTextAreaElement | null>,
  edited: string | undefined,
): void {
  const before = useRef(edited);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element || edited === before.current) return;
    before.current = edited;
    if (!edited) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, [edited]);
}

/** Grows the field with its text where the browser does not do it by itself. */
function useGrowth(
  field: RefObject<HTMLTextAreaElement | null>,
  draft: string,
): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.setProperty("height", "auto");
    element.style.setProperty("height", `${element.scrollHeight + 2}px`);
  }, [draft]);
}
