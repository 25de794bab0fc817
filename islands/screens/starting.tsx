/** Shown for the moment it takes to open what is stored; the words come only if that moment is long. */
import "./starting.css";
import { Logo } from "../parts/logo.tsx";
import { text } from "../text/mod.ts";

export function Starting() {
  return (
    <main class="starting">
      <h1 class="unseen">{text.app}</h1>
      <Logo size={56} />
      <p>{text.screens.starting}</p>
    </main>
  );
}
