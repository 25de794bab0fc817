/** An access key, shown once: to be kept before anything depends on it. */
import "./key_to_keep.css";
import { Download } from "lucide-preact";
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { groups } from "../format/code.ts";
import { stayHere } from "../navigation.ts";
import { saveText } from "../save_file.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Button } from "./button.tsx";
import { Check } from "./check.tsx";
import { CopyButton } from "./copy_button.tsx";

const words = textOnDemand.accessKey;

export function KeyToKeep({ name, accessKey: key, stored, onStored }: {
  name: string;
  accessKey: string;
  stored: boolean;
  onStored: (stored: boolean) => void;
}) {
  const [saved, setSaved] = useState(false);

  useEffect(() => {
    // Leaving now would lose a key that may be written down already.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    const leave = stayHere();
    return () => {
      removeEventListener("beforeunload", ask);
      leave();
    };
  }, []);

  const download = () => {
    saveText(words.fileName, words.file(name, key, location.origin));
    setSaved(true);
  };

  return (
    <>
      <div
        class="access-key"
        role="status"
        aria-label={words.label}
        translate={false}
      >
        <span class="access-key-rows">
          {groups(key, 4).map((group, i) => (
            <Fragment key={i}>
              {i > 0 && <span class="access-key-joint">-</span>}
              <span class="access-key-group">{group}</span>
            </Fragment>
          ))}
        </span>
      </div>
      <div class="access-key-keep">
        <div class="access-key-actions">
          <Button look="outline" onClick={download}>
            <Download size={18} /> {words.download}
          </Button>
          <CopyButton label={words.copy} value={key} />
        </div>
        <p class="access-key-note" aria-live="polite">
          {saved && words.downloaded}
        </p>
      </div>
      <Check
        label={words.stored}
        checked={stored}
        onChange={onStored}
      />
    </>
  );
}
