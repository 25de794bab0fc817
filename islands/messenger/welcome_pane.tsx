/** The right pane while no conversation is open: how to get to a first one, or simply quiet. */
import "./welcome_pane.css";
import { LockKeyhole } from "lucide-preact";
import type { MessengerView } from "../../lib/client/view.ts";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";

const words = text.welcomePane;

export function WelcomePane({ messenger }: { messenger: MessengerView }) {
  const empty = messenger.conversations.value.length === 0;
  return (
    <div class="welcome">
      <Logo size={72} />
      <h2>
        <bdi>{words.title(messenger.me.value?.name ?? "")}</bdi>
      </h2>
      {empty
        ? (
          <ol class="welcome-steps">
            {words.steps.map((step) => <li key={step}>{step}</li>)}
          </ol>
        )
        : <p class="welcome-choose">{words.choose}</p>}
      <p class="welcome-sealed">
        <LockKeyhole size={14} aria-hidden="true" /> {words.sealed}
      </p>
    </div>
  );
}
