/** Inviting by a link: how long and for how many it is to be, the link that was made, and all that are good yet. */
import "./links.css";
import { useEffect, useRef, useState } from "preact/hooks";
import type {
  GivenInvitation,
  InvitationsView,
  InviteView,
} from "../../lib/client/view.ts";
import { dates } from "../format/mod.ts";
import { Button } from "../parts/button.tsx";
import { Choice } from "../parts/choice.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { QrCode } from "../verify/qr_code.tsx";
import { publicOrigin } from "./public_origin.ts";

const words = textOnDemand.links;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LIFETIMES = [HOUR, DAY, 7 * DAY, 21 * DAY] as const;
const USES = [1, 5, 20] as const;

export function GivenLinks({ invite }: { invite: InviteView }) {
  const [lifetime, setLifetime] = useState<number>(7 * DAY);
  const [uses, setUses] = useState<number>(1);
  const [failed, setFailed] = useState(false);
  const [shownId, setShownId] = useState<string>();
  const invitations = invite.invitations.value;
  const making = invitations?.making.value ?? { at: "none" };
  const busy = making.at === "making";
  const made = making.at === "made" ? making.id : undefined;
  const given = invitations?.given.value ?? [];
  const shown = given.find(({ id }) => id === (shownId ?? made));
  useEffect(() => setShownId(undefined), [made]);
  const create = () => {
    if (busy) return;
    setFailed(false);
    invite.openInvitations()
      .then((opened) => opened.create({ lifetime, uses }))
      .catch(() => setFailed(true));
  };
  return (
    <section class="invite-part">
      <div class="invite-words">
        <h3>{words.title}</h3>
        <p>{words.lead}</p>
      </div>
      <div class="link-terms">
        <Choice
          label={words.lifetime}
          value={lifetime}
          options={LIFETIMES.map((value) => ({
            value,
            label: words.lifetimes(value / HOUR),
          }))}
          onChoose={setLifetime}
        />
        <Choice
          label={words.uses}
          value={uses}
          options={USES.map((value) => ({ value, label: words.people(value) }))}
          onChoose={setUses}
        />
      </div>
      <Button look="outline" aria-busy={busy} onClick={create}>
        {busy ? words.creating : words.create}
      </Button>
      {making.at === "failed" && (
        <Mistake>{words.makingFailure(making.reason)}</Mistake>
      )}
      {failed && <Mistake>{words.makingFailure("offline")}</Mistake>}
      {shown?.fragment && (
        <Link
          key={shown.id}
          link={`${publicOrigin(invite)}/${shown.fragment}`}
        />
      )}
      {invitations && given.length > 0 && (
        <Open
          given={given}
          shownId={shown?.id}
          onShow={setShownId}
          invitations={invitations}
        />
      )}
    </section>
  );
}

/** A link to hand over: as text, and as a code for a camera. */
function Link({ link }: { link: string }) {
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const text = part.current?.querySelector<HTMLElement>(".link-text");
    text?.focus({ preventScroll: true });
    // All of it where there is room, the code for the camera first where there is not.
    part.current?.scrollIntoView({ block: "start" });
  }, []);
  return (
    <div class="link-made" ref={part}>
      <div class="link-code">
        <QrCode content={link} label={words.code} />
      </div>
      <p
        class="link-text"
        role="status"
        aria-label={words.label}
        tabIndex={-1}
        translate={false}
      >
        {link}
      </p>
      <CopyButton label={words.copy} value={link} />
      <p class="link-hint">{words.hint}</p>
    </div>
  );
}

function Open(
  { given, shownId, onShow, invitations }: {
    given: readonly GivenInvitation[];
    shownId: string | undefined;
    onShow: (id: string) => void;
    invitations: InvitationsView;
  },
) {
  return (
    <div class="invite-part">
      <h4>{words.open}</h4>
      <ul class="link-list">
        {given.map((link) => {
          const { id, uses, used, expiresAt, fragment } = link;
          const until = dates().full(expiresAt);
          return (
            <li key={id}>
              <p>
                <b>{words.left(uses - used, uses)}</b>
                <span>
                  {fragment ? words.until(until) : words.storing}
                </span>
              </p>
              <div class="invite-buttons">
                {fragment && id !== shownId && (
                  <Button
                    small
                    aria-label={words.showNamed(until)}
                    onClick={() => onShow(id)}
                  >
                    {words.show}
                  </Button>
                )}
                <Button
                  small
                  aria-label={words.revokeNamed(until)}
                  onClick={() => void invitations.revoke(id)}
                >
                  {words.revoke}
                </Button>
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
