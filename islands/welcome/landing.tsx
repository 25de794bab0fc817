/** The first screen: what this is, in one breath, and the two ways in. */
import "./landing.css";
import { accountCleared } from "../account_kept.ts";
import { invitationLink } from "../invitation_link.ts";
import { goTo } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";

const words = text.landing;

export function Landing() {
  return (
    <main class="landing">
      <header class="landing-brand">
        <Logo size={34} /> {text.app}
      </header>
      <div class="landing-main">
        <div class="landing-words">
          <h1>{words.title}</h1>
          <p class="landing-lead">{words.lead}</p>
          {accountCleared.value && (
            <p class="landing-note" role="alert">{words.cleared}</p>
          )}
          {invitationLink.value && (
            <p class="landing-note" role="status">{words.invited}</p>
          )}
          <div class="landing-actions">
            <Button look="primary" onClick={() => goTo("create")}>
              {words.create}
            </Button>
            <Button look="outline" onClick={() => goTo("log-in")}>
              {words.logIn}
            </Button>
          </div>
        </div>
        <Sketch />
      </div>
      <ul class="landing-facts">
        {words.facts.map(({ title, body }) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{body}</p>
          </li>
        ))}
      </ul>
    </main>
  );
}

/** A drawing in words. It says nothing the facts below do not, so it is left out for screen readers. */
function Sketch() {
  return (
    <div class="sketch" aria-hidden="true">
      <p class="sketch-bubble sketch-mine">{words.sketch.you}</p>
      <div class="sketch-server">
        <span class="sketch-noise">
          9f 3c e1 07 5a d2 88 b4 41 6e 1b c9 f0 2d 73 a6 58 0e
        </span>
        <span>{words.sketch.server}</span>
      </div>
      <p class="sketch-bubble sketch-theirs">{words.sketch.friend}</p>
    </div>
  );
}
