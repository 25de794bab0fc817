/** Things a person should know, above the list, each with what can be done about it. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { applyUpdate } from "../../lib/web/service_worker_client.ts";
import { openConversation } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { promiseMissedSeen } from "../storage_promise.ts";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import type { Meeting } from "./messenger.tsx";
import { Notice } from "./notice.tsx";

const words = textOnDemand.notices;

/** A newer version is downloaded and waits for consent. */
export function UpdateNotice() {
  const later = useSignal(false);
  if (later.value) return null;
  return (
    <Notice
      warm
      title={words.update.title}
      actions={
        <>
          <Button small look="primary" onClick={applyUpdate}>
            {words.update.apply}
          </Button>
          <Button
            small
            onClick={() => {
              later.value = true;
            }}
          >
            {words.update.later}
          </Button>
        </>
      }
    >
      <p>{words.update.body}</p>
    </Notice>
  );
}

/** An invitation was taken up while the person was elsewhere in the page. */
export function MetNotice(
  { messenger, openId, met, meeting }: {
    messenger: MessengerView;
    openId: string | undefined;
    met: Signal<Meeting | undefined>;
    meeting: Meeting;
  },
) {
  const done = () => {
    met.value = undefined;
  };
  // The conversation was opened in another way, or there is none any more.
  const isOver = openId === meeting.id ||
    !messenger.conversations.value.some(({ id, contact }) =>
      id === meeting.id && contact.connected
    );
  useEffect(() => {
    if (isOver) done();
  }, [isOver]);
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
            {words.open}
          </Button>
          <Button small onClick={done}>{text.common.dismiss}</Button>
        </>
      }
    />
  );
}

/** The browser did not promise to keep what is stored; said once. */
export const StorageNotice = () => (
  <Notice
    title={words.storage.title}
    actions={
      <>
        <details>
          <summary>{words.storage.more}</summary>
          <p>{words.storage.body}</p>
        </details>
        <Button small look="outline" onClick={promiseMissedSeen}>
          {text.common.dismiss}
        </Button>
      </>
    }
  />
);
