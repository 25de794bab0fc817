/** The screens on which nothing but one thing can be done. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { Card } from "../welcome/card.tsx";

const words = text.screens;

export function Standstill(
  { title, body, children }: {
    title: string;
    body: string;
    children: ComponentChildren;
  },
) {
  return (
    <Card title={title} lead={body} takeFocus>
      <div class="card-actions">{children}</div>
    </Card>
  );
}

/** A button that is busy until what it started has ended. */
function Act({ label, act }: { label: string; act: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      look="primary"
      aria-busy={busy}
      disabled={busy}
      onClick={async () => {
        setBusy(true);
        try {
          await act();
        } finally {
          setBusy(false);
        }
      }}
    >
      {label}
    </Button>
  );
}

export const Reload = () => (
  <Button
    look="primary"
    onClick={() => location.reload()}
  >
    {text.common.reload}
  </Button>
);

export function Elsewhere({ messenger }: { messenger: MessengerView }) {
  return (
    <Standstill title={words.elsewhere.title} body={words.elsewhere.body}>
      <Act
        label={words.elsewhere.action}
        act={() => messenger.takeOver()}
      />
    </Standstill>
  );
}

export function StorageFull({ messenger }: { messenger: MessengerView }) {
  return (
    <Standstill title={words.storageFull.title} body={words.storageFull.body}>
      <Act
        label={words.storageFull.action}
        act={() =>
          messenger.retry()}
      />
    </Standstill>
  );
}

/** The program itself did not arrive whole. */
export function NotLoaded() {
  return (
    <Standstill title={words.notLoaded.title} body={words.notLoaded.body}>
      <Reload />
    </Standstill>
  );
}
