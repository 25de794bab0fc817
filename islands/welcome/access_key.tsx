/** The access key, shown once: it can't go on before the person says it is kept. */
import { useState } from "preact/hooks";
import type { NewAccount } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Mistake } from "../parts/field.tsx";
import { KeyToKeep } from "../parts/key_to_keep.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "./card.tsx";

const words = textOnDemand.accessKey;

export function AccessKey(
  { name, account }: { name: string; account: NewAccount },
) {
  const [stored, setStored] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);

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
      <KeyToKeep
        name={name}
        accessKey={account.accessKey}
        stored={stored}
        onStored={setStored}
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
