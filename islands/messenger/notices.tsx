/** Things a person should know, above the list, each with what can be done about it. */
import { type Signal, useSignal } from "@preact/signals";
import {
  applyUpdate,
  updateReady,
} from "../../lib/web/service_worker_client.ts";
import { openConversation } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { storagePromise } from "../storage_promise.ts";
import { text } from "../text/mod.ts";
import type { Meeting } from "./messenger.tsx";
import { Notice } from "./notice.tsx";

/** A newer version is downloaded and waits for consent. */
export function UpdateNotice() {
  const later = useSignal(false);
  if (!updateReady.value || later.value) return null;
  return (
    <Notice
      warm
      title={text.update.title}
      actions={
        <>
          <Button small look="primary" onClick={applyUpdate}>
            {text.update.apply}
          </Button>
          <Button
            small
            onClick={() => {
              later.value = true;
            }}
          >
            {text.update.later}
          </Button>
        </>
      }
    >
      <p>{text.update.body}</p>
    </Notice>
  );
}

/** An invitation was taken up while the person was elsewhere in the page. */
export function MetNotice({ met }: { met: Signal<Meeting | undefined> }) {
  const meeting = met.value;
  if (!meeting) return null;
  const done = () => {
    met.value = undefined;
  };
  return (
    <Notice
      warm
      title={text.met.connected(meeting.name)}
      actions={
        <>
          <Button
            small
            look="primary"
            onClick={() => {
              openConversation(meeting.id);
              done();
            }}
          >
            {text.met.open}
          </Button>
          <Button small onClick={done}>{text.common.dismiss}</Button>
        </>
      }
    />
  );
}

const SEEN = "whisper-storage-notice";

/** The browser did not promise to keep what is stored; said once. */
export function StorageNotice() {
  const seen = useSignal(localStorage.getItem(SEEN) !== null);
  if (storagePromise.value !== "refused" || seen.value) return null;
  return (
    <Notice
      title={text.storage.title}
      actions={
        <>
          <details>
            <summary>{text.storage.more}</summary>
            <p>{text.storage.body}</p>
          </details>
          <Button
            small
            look="outline"
            onClick={() => {
              localStorage.setItem(SEEN, "seen");
              seen.value = true;
            }}
          >
            {text.common.dismiss}
          </Button>
        </>
      }
    />
  );
}
