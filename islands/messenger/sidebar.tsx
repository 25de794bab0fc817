/** The left pane: who there is to talk to, and what the person should know. */
import "./sidebar.css";
import type { Signal } from "@preact/signals";
import { LockKeyhole, Settings, UserRoundPlus } from "lucide-preact";
import type { MessengerView } from "../../lib/client/view.ts";
import { accessKeyChanged } from "../access_key_changed.ts";
import { Button, IconButton } from "../parts/button.tsx";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";
import { partOnDemand } from "../parts/on_demand.tsx";
import { ConversationList } from "./conversation_list.tsx";
import type { Meeting } from "./messenger.tsx";
import { MetNotice, StorageNotice, UpdateNotice } from "./notices.tsx";

const words = text.list;

const DeviceNotices = partOnDemand(() =>
  import("./device_notices.tsx").then((part) => part.DeviceNotices)
);
const InvitationNotices = partOnDemand(() =>
  import("./invitation_notices.tsx").then((part) => part.InvitationNotices)
);

const AccessKeyNotice = partOnDemand(() =>
  import("./access_key_notice.tsx").then((part) => part.AccessKeyNotice)
);

/** Element id of the heading. */
export const LIST_TITLE = "list-title";

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
      <div class="sidebar-notices">
        <UpdateNotice />
        <MetNotice met={met} />
        {invitations && <InvitationNotices invitations={invitations} />}
        {messenger.devices.news.value.length > 0 && (
          <DeviceNotices devices={messenger.devices} />
        )}
        {accessKeyChanged.value && <AccessKeyNotice />}
        {!empty && <StorageNotice />}
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
              <Button look="primary" onClick={onInvite}>{words.invite}</Button>
              <Button look="outline" onClick={onEnterCode}>
                {words.haveCode}
              </Button>
            </div>
          </div>
        )}
      </div>
    </section>
  );
}
