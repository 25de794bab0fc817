/** The left pane: who there is to talk to, and what the person should know. */
import "./sidebar.css";
import type { Signal } from "@preact/signals";
import { LockKeyhole, Settings, UserRoundPlus } from "lucide-preact";
import type { MessengerView } from "../../lib/client/view.ts";
import { updateReady } from "../../lib/web/service_worker_client.ts";
import { Button, IconButton } from "../parts/button.tsx";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";
import { partOnDemand } from "../parts/on_demand.tsx";
import { promiseMissed } from "../storage_promise.ts";
import { ConversationList } from "./conversation_list.tsx";
import { LIST_TITLE } from "./list_title.ts";
import type { Meeting } from "./messenger.tsx";

const words = text.list;

const UpdateNotice = partOnDemand(() =>
  import("./notices.tsx").then((part) => part.UpdateNotice)
);
const MetNotice = partOnDemand(() =>
  import("./notices.tsx").then((part) => part.MetNotice)
);
const StorageNotice = partOnDemand(() =>
  import("./notices.tsx").then((part) => part.StorageNotice)
);
const DeviceNotices = partOnDemand(() =>
  import("./device_notices.tsx").then((part) => part.DeviceNotices)
);
const HistoryNotices = partOnDemand(() =>
  import("./history_notices.tsx").then((part) => part.HistoryNotices)
);
const InvitationNotices = partOnDemand(() =>
  import("./invitation_notices.tsx").then((part) => part.InvitationNotices)
);
const StandingNotice = partOnDemand(() =>
  import("./standing_notice.tsx").then((part) => part.StandingNotice)
);

export function Sidebar(
  { messenger, openId, met, onInvite, onEnterCode, onSettings }: {
    messenger: MessengerView;
    openId: string | undefined;
    met: Signal<Meeting | undefined>;
    onInvite: () => void;
    onEnterCode: () => void;
    onSettings: () => void;
  },
) {
  const invitations = messenger.invite.invitations.value;
  const empty = messenger.conversations.value.length === 0;
  return (
    <section class="sidebar" aria-label={words.title}>
      <header class="sidebar-head">
        <h2 id={LIST_TITLE} tabIndex={-1}>
          <Logo size={30} /> {words.title}
        </h2>
        {!empty && (
          <IconButton label={words.invite} onClick={onInvite}>
            <UserRoundPlus size={22} />
          </IconButton>
        )}
        {messenger.lock.kind.value !== "none" && (
          <IconButton
            label={words.lockNow}
            onClick={() => void messenger.lock.lock()}
          >
            <LockKeyhole size={22} />
          </IconButton>
        )}
        <IconButton label={words.settings} onClick={onSettings}>
          <Settings size={22} />
        </IconButton>
      </header>
      <div class="sidebar-body">
        <div class="sidebar-notices">
          {updateReady.value && <UpdateNotice />}
          {met.value && (
            <MetNotice
              messenger={messenger}
              openId={openId}
              met={met}
              meeting={met.value}
            />
          )}
          {isLeftOut(messenger) && <StandingNotice messenger={messenger} />}
          {invitations && <InvitationNotices invitations={invitations} />}
          {messenger.devices.news.value.length > 0 && (
            <DeviceNotices devices={messenger.devices} />
          )}
          {needsHistory(messenger) && (
            <HistoryNotices devices={messenger.devices} />
          )}
          {!empty && promiseMissed.value && <StorageNotice />}
        </div>
        <div class="sidebar-list">
          <ConversationList messenger={messenger} openId={openId} />
          {empty && (
            <div class="sidebar-empty">
              <span class="sidebar-empty-figure" aria-hidden="true">
                <UserRoundPlus size={34} />
              </span>
              <h3>{words.emptyTitle}</h3>
              <p>{words.emptyBody}</p>
              <div class="sidebar-empty-actions">
                <Button look="primary" onClick={onInvite}>
                  {words.invite}
                </Button>
                <Button look="outline" onClick={onEnterCode}>
                  {words.haveCode}
                </Button>
              </div>
            </div>
          )}
        </div>
      </div>
    </section>
  );
}

/** Whether this browser may be one of the account's no more: it was moved, taken over, or signed away. */
function isLeftOut({ standing, backup }: MessengerView): boolean {
  const state = backup.value;
  return standing.value !== "current" || state.at === "failed" &&
      (state.reason === "gone" || state.reason === "replaced");
}

/**
 * Whether the past is on its way, or could be: this device came beside others and was not told yet, or it was
 * away too long.
 */
function needsHistory({ devices, conversations }: MessengerView): boolean {
  const { taking, giving, due } = devices.history.value;
  if (taking || giving.length > 0 || devices.missed.value) return true;
  return due === true && devices.list.value.length > 1 &&
    conversations.value.length > 0;
}
