/** Where messages are written. What is written here is never lost: it is a draft until it is a message. */
import "./composer.css";
import { useSignal } from "@preact/signals";
import { SendHorizontal } from "lucide-preact";
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import { Mistake } from "../parts/field.tsx";
import { text } from "../text/mod.ts";
import { hasTouchKeyboard } from "../touch.ts";

const words = text.composer;

export function Composer(
  { view, field, onSent }: {
    view: ConversationView;
    field: RefObject<HTMLTextAreaElement | null>;
    onSent: () => void;
  },
) {
  const [mistake, setMistake] = useState<string>();
  const draft = view.draft.value;
  /** What was sent and is not in the log yet. */
  const leaving = useSignal<string | undefined>(undefined);
  const written = leaving.value ?? draft;
  useGrowth(field, written);

  const send = async () => {
    // As it is now, not as it was when this was drawn: Enter may follow a letter at once.
    const draft = view.draft.peek();
    if (draft.trim() === "") return;
    setMistake(undefined);
    field.current?.focus();
    // It goes from here to the log in one frame: to draw another one first would hold up its commit.
    leaving.value = draft;
    try {
      await view.send(draft.trim());
      onSent();
    } catch (error) {
      // Back where it was written, above whatever was begun meanwhile.
      const begun = view.draft.peek();
      view.setDraft(begun === "" ? draft : `${draft}\n${begun}`);
      setMistake(
        error instanceof Error && error.name === "TextTooLongError"
          ? words.tooLong
          : words.refused,
      );
    } finally {
      if (leaving.peek() === draft) leaving.value = undefined;
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
      <div class="composer-row">
        <textarea
          ref={field}
          class="composer-field"
          aria-label={words.label}
          placeholder={words.placeholder}
          rows={1}
          dir="auto"
          // Else Chromium keeps what was begun here in its session files, in clear.
          autocomplete="off"
          enterkeyhint={hasTouchKeyboard() ? "enter" : "send"}
          value={written}
          onBeforeInput={({ currentTarget }) => {
            if (leaving.peek() === undefined) return;
            // What is written now is the next message.
            leaving.value = undefined;
            currentTarget.value = "";
          }}
          onInput={(event) => {
            setMistake(undefined);
            leaving.value = undefined;
            view.setDraft(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
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
