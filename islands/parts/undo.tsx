/** Says what was just done, and takes it back when asked to in time. */
import "./undo.css";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { text } from "../text/mod.ts";
import { Button } from "./button.tsx";

interface Offer {
  readonly done: string;
  readonly undo: () => Promise<void>;
}

const offer = signal<Offer | undefined>(undefined);

/** Long enough to be heard, reached and pressed, ms. Whatever can be taken back here can be later, too. */
const OFFERED_FOR = 12_000;

/** `done` is said aloud; the button beside it calls `undo`. */
export function offerUndo(done: string, undo: Offer["undo"]): void {
  offer.value = { done, undo };
}

export function UndoBar() {
  const offered = offer.value;
  /** Whoever is on it is not hurried. */
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (!offered || held) return;
    const timer = setTimeout(() => {
      offer.value = undefined;
    }, OFFERED_FOR);
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
          <span>{offered.done}</span>
          <Button
            small
            onClick={() => {
              offer.value = undefined;
              setHeld(false);
              void offered.undo();
            }}
          >
            {text.common.undo}
          </Button>
        </div>
      )}
    </div>
  );
}
