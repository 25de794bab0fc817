/** Who asks to connect, and whom one has asked: above the list, until it is decided. */
import type {
  AskedInvitation,
  InvitationRequest,
  InvitationsView,
  KeptInvitation,
} from "../../lib/client/view.ts";
import { followLink } from "../invitation_link.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Notice } from "./notice.tsx";
import { LIST_TITLE } from "./list_title.ts";

const words = textOnDemand.requests;

/** What was pressed goes: who uses the keyboard goes on at the list. */
function decided(work: Promise<void> | void): void {
  void work;
  document.getElementById(LIST_TITLE)?.focus();
}

export function InvitationNotices(
  { invitations }: { invitations: InvitationsView },
) {
  const outcome = invitations.outcome.value;
  return (
    <>
      {outcome?.at === "failed" && (
        <Notice
          title={words.failedTitle(outcome.name)}
          actions={
            <Button
              small
              look="outline"
              onClick={() => decided(invitations.noted())}
            >
              {text.common.dismiss}
            </Button>
          }
        >
          <p>{words.acceptFailure(outcome.reason)}</p>
        </Notice>
      )}
      {invitations.requests.value.map((request) => (
        <Request key={request.id} request={request} invitations={invitations} />
      ))}
      {invitations.kept.value.map((kept) => (
        <Kept key={kept.id} kept={kept} invitations={invitations} />
      ))}
      {invitations.asked.value.map((asked) => (
        <Asked key={asked.id} asked={asked} invitations={invitations} />
      ))}
    </>
  );
}

function Request(
  { request: { id, name, accepting }, invitations }: {
    request: InvitationRequest;
    invitations: InvitationsView;
  },
) {
  return (
    <Notice
      warm
      title={words.title(name)}
      actions={
        <>
          <Button
            small
            look="primary"
            aria-busy={accepting}
            aria-label={words.acceptNamed(name)}
            onClick={() => decided(invitations.accept(id))}
          >
            {accepting ? words.accepting : words.accept}
          </Button>
          {!accepting && (
            <Button
              small
              aria-label={words.refuseNamed(name)}
              onClick={() => decided(invitations.refuse(id))}
            >
              {words.refuse}
            </Button>
          )}
        </>
      }
    >
      <p>{words.body}</p>
    </Notice>
  );
}

function Kept(
  { kept: { id, name, link }, invitations }: {
    kept: KeptInvitation;
    invitations: InvitationsView;
  },
) {
  return (
    <Notice
      title={words.keptTitle(name)}
      actions={
        <>
          <Button
            small
            look="outline"
            aria-label={words.openNamed(name)}
            onClick={() => decided(followLink(link))}
          >
            {words.open}
          </Button>
          <Button
            small
            aria-label={words.dismissNamed(name)}
            onClick={() => decided(invitations.dismiss(id))}
          >
            {text.common.dismiss}
          </Button>
        </>
      }
    >
      <p>{words.kept}</p>
    </Notice>
  );
}

function Asked(
  { asked: { id, name, state }, invitations }: {
    asked: AskedInvitation;
    invitations: InvitationsView;
  },
) {
  const failed = state.at === "failed";
  return (
    <Notice
      title={failed ? words.failedTitle(name) : words.waitingTitle(name)}
      actions={
        <Button
          small
          look="outline"
          aria-label={failed ? undefined : words.takeBackNamed(name)}
          onClick={() => decided(invitations.takeBack(id))}
        >
          {failed ? text.common.dismiss : words.takeBack}
        </Button>
      }
    >
      <p>
        {failed
          ? textOnDemand.link.failure[state.reason]
          : state.at === "sending"
          ? words.sending
          : words.waiting}
      </p>
    </Notice>
  );
}
