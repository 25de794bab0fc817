/** A dialog whose code is fetched when it is first opened: what is read at once must not wait for it. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { text } from "../text/mod.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

const words = text.screens.notLoaded;

/** `load` is asked once it is shown, and again when it is shown after a failure. */
export function onDemand<Props extends { onClose: () => void }>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function OnDemand(props: Props) {
    const [failed, setFailed] = useState(false);
    const [, setReady] = useState(loaded !== undefined);
    useEffect(() => {
      if (loaded) return;
      load().then((component) => {
        loaded = component;
        setReady(true);
      }, (error) => {
        setFailed(true);
        console.error("a part of the program did not load", error);
      });
    }, []);
    if (loaded) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    return failed ? <NotLoaded onClose={props.onClose} /> : null;
  };
}

function NotLoaded({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={words.part} onClose={onClose}>
      <p>{words.body}</p>
      <div class="dialog-actions">
        <Button look="primary" onClick={() => location.reload()}>
          {text.common.reload}
        </Button>
      </div>
    </Dialog>
  );
}
