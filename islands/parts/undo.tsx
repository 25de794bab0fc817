/** Says what was just done, and takes it back, where it can be, when asked to in time. */
import "./undo.css";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { ContactState, MessengerView } from "../../lib/client/view.ts";
import { text } from "../text/mod.ts";
import { Button } from "./button.tsx";

interface Undo {
  /** The contact's state that was decided on: with another, or none, it is over. */
  readonly conversation: string;
  readonly decided: ContactState;
  undo(): Promise<void>;
}

interface Done {
  readonly words: string;
  readonly undo?: Undo;
}

const done = signal<Done | undefined>(undefined);

/** Long enough to be heard, reached and pressed, ms. Whatever can be taken back here can be later, too. */
const OFFERED_FOR = 12_000;
/** Long enough to be read, ms. */
const SAID_FOR = 6_000;

/** `words` are shown and said aloud. */
export function tellDone(words: string, undo?: Undo): void {
  done.value = { words, undo };
}

export function UndoBar({ messenger }: { messenger: MessengerView }) {
  const told = done.value;
  const undo = told?.undo;
  const holds = !undo ||
    messenger.conversations.value.find(({ id }) => id === undo.conversation)
        ?.contact === undo.decided;
  const offered = holds ? told : undefined;
  /** Whoever is on it is not hurried. */
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (!offered || held) return;
    const timer = setTimeout(() => {
      done.value = undefined;
    }, offered.undo ? OFFERED_FOR : SAID_FOR);
    return () => clearTimeout(timer);
  }, [offered, held]);
  return (
    <div class="undo" role="status">
      {offered && (
        <div
          class="undo-bar"
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocusIn={() => setHeld(true)}
          onFocusOut={() => setHeld(false)}
        >
          <span>{offered.words}</span>
          {undo && (
            <Button
              small
              onClick={() => {
                done.value = undefined;
                setHeld(false);
                void undo.undo();
              }}
            >
              {text.common.undo}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
