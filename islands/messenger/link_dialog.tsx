/** A link that somebody has opened: whose it is, and whether to ask them. */
import "./links.css";
import { Link2 } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type {
  InvitationFailure,
  InvitationsView,
  InviteView,
  OpenedInvitation,
} from "../../lib/client/view.ts";
import { linkIsKept } from "../invitation_link.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.link;

/** What may be otherwise in a moment. */
const PASSING: ReadonlySet<InvitationFailure> = new Set([
  "offline",
  "busy",
  "unreachable",
]);

export function LinkDialog(
  { invite, link, onClose }: {
    invite: InviteView;
    /** The whole, or `#invite=…` alone for one of this server. */
    link: string;
    onClose: () => void;
  },
) {
  const [invitations, setInvitations] = useState<InvitationsView>();
  const [failed, setFailed] = useState(false);
  const [asking, setAsking] = useState(false);
  const look = () => {
    setFailed(false);
    invite.openInvitations().then((opened) => {
      const open = opened.open(link);
      setInvitations(opened);
      return open;
    }).catch(() => setFailed(true));
  };
  useEffect(look, [link]);
  const opened: OpenedInvitation = failed
    ? { at: "failed", reason: "offline" }
    : invitations?.opened.value ?? { at: "looking" };
  const at = failed ? "none" : opened.at;
  useEffect(() => {
    if (invitations && at !== "none") linkIsKept();
  }, [invitations, at]);
  const ask = async () => {
    setAsking(true);
    try {
      await invitations?.ask();
    } finally {
      setAsking(false);
    }
  };
  return (
    <Dialog
      title={titleOf(opened)}
      onClose={() => {
        invitations?.reset();
        onClose();
      }}
    >
      <Body
        opened={opened}
        asking={asking}
        onAsk={() => void ask()}
        onAgain={look}
        onClose={() => {
          invitations?.reset();
          onClose();
        }}
      />
    </Dialog>
  );
}

function titleOf(opened: OpenedInvitation): string {
  switch (opened.at) {
    case "found":
      return words.foundTitle(opened.name);
    case "asked":
      return words.askedTitle(opened.name);
    case "failed":
      return words.failedTitle;
    default:
      return words.lookingTitle;
  }
}

function Body(
  { opened, asking, onAsk, onAgain, onClose }: {
    opened: OpenedInvitation;
    asking: boolean;
    onAsk: () => void;
    onAgain: () => void;
    onClose: () => void;
  },
) {
  const body = useRef<HTMLDivElement>(null);
  // What was pressed is gone: the reading goes on at the title.
  useEffect(() => {
    if (opened.at !== "asked") return;
    body.current?.closest("dialog")?.querySelector<HTMLElement>("h2")?.focus();
  }, [opened.at]);
  return (
    <div class="link-part" ref={body}>
      {(opened.at === "none" || opened.at === "looking") && (
        <p role="status">{words.looking}</p>
      )}
      {opened.at === "found" && (
        <>
          <p class="link-lead">
            <Link2 size={20} aria-hidden="true" />
            {words.found(opened.name)}
          </p>
          {opened.host && <p>{words.elsewhere(opened.host)}</p>}
          <div class="dialog-actions">
            <Button onClick={onClose}>{words.notNow}</Button>
            <Button look="primary" aria-busy={asking} onClick={onAsk}>
              {words.ask}
            </Button>
          </div>
        </>
      )}
      {opened.at === "asked" && (
        <>
          <p role="status">{words.asked(opened.name)}</p>
          <div class="dialog-actions">
            <Button look="primary" onClick={onClose}>{words.done}</Button>
          </div>
        </>
      )}
      {opened.at === "failed" && (
        <>
          <Mistake>{words.failure[opened.reason]}</Mistake>
          <div class="dialog-actions">
            {PASSING.has(opened.reason) && (
              <Button look="outline" onClick={onAgain}>{words.again}</Button>
            )}
            <Button look="primary" onClick={onClose}>{words.close}</Button>
          </div>
        </>
      )}
    </div>
  );
}
