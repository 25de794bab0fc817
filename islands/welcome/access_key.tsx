/** The access key, shown once: it can't go on before the person says it is kept. */
import "./access_key.css";
import { Download } from "lucide-preact";
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { NewAccount } from "../../lib/client/view.ts";
import { groups } from "../format/code.ts";
import { Button } from "../parts/button.tsx";
import { Check } from "../parts/check.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { Mistake } from "../parts/field.tsx";
import { saveText } from "../save_file.ts";
import { stayHere } from "../navigation.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "./card.tsx";

const words = textOnDemand.accessKey;

export function AccessKey(
  { name, account }: { name: string; account: NewAccount },
) {
  const [stored, setStored] = useState(false);
  const [saved, setSaved] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const key = account.accessKey;

  useEffect(() => {
    // Leaving now would lose an account whose key may be written down already.
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
  const commit = async () => {
    setBusy(true);
    setFailed(false);
    try {
      await account.commit();
    } catch (error) {
      setFailed(true);
      console.error("the account was not stored", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title={words.title} lead={words.lead} takeFocus>
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
        onChange={setStored}
      />
      {failed && <Mistake>{words.saveFailed}</Mistake>}
      <div class="card-actions">
        <Button
          look="primary"
          disabled={!stored || busy}
          aria-busy={busy}
          onClick={commit}
        >
          {busy ? words.saving : words.next}
        </Button>
      </div>
    </Card>
  );
}
