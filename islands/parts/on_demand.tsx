/** Parts of the interface whose code is fetched when they are first shown: what is read at once must not wait for it. */
import type { ComponentType, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { NotLoaded } from "../screens/standstill.tsx";
import { text } from "../text/mod.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

const words = text.screens.notLoaded;

/** A dialog. `load` is asked once it is shown, and again when it is shown after a failure. */
export function onDemand<Props extends { onClose: () => void }>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return fetched(
    load,
    ({ onClose }) => (
      <Dialog title={words.part} onClose={onClose}>
        <p>{words.body}</p>
        <div class="dialog-actions">
          <Button look="primary" onClick={() => location.reload()}>
            {text.common.reload}
          </Button>
        </div>
      </Dialog>
    ),
  );
}

/** A whole screen. */
export function screenOnDemand<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return fetched(load, () => <NotLoaded />);
}

/** A piece of what is on the screen already. */
export function partOnDemand<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return fetched(load, () => (
    <Button small onClick={() => location.reload()}>
      {text.common.reload}
    </Button>
  ));
}

/** Anything: `failure` is what is shown in its place when its code can't be had. */
export function fetched<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  failure: (props: Props) => VNode | null,
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
    return failed ? failure(props) : null;
  };
}
