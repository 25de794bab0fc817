/** The whole interface: which screen is shown follows from where the messenger stands, and nothing else. */
import type { VNode } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { noteAccount } from "./account_kept.ts";
import { startClock } from "./clock.ts";
import { watchInvitations } from "./invitation_link.ts";
import { Messenger } from "./messenger/messenger.tsx";
import { openMessenger, type Source, source } from "./messenger_source.ts";
import { followHistory, place, settleAt } from "./navigation.ts";
import { watchVisibility } from "./page_visible.ts";
import { Loudspeaker } from "./parts/loudspeaker.tsx";
import { screenOnDemand } from "./parts/on_demand.tsx";
import { Elsewhere, NotLoaded, StorageFull } from "./screens/standstill.tsx";
import { Starting } from "./screens/starting.tsx";
import { followTheme } from "./theme.ts";
import { watchUse } from "./use.ts";
import { Landing } from "./welcome/landing.tsx";

type Page = "landing" | "messenger";

const CreateAccount = screenOnDemand(() =>
  import("./welcome/create_account.tsx").then((part) => part.CreateAccount)
);
const LogIn = screenOnDemand(() =>
  import("./welcome/log_in.tsx").then((part) => part.LogIn)
);
const Locked = screenOnDemand(() =>
  import("./screens/locked.tsx").then((part) => part.Locked)
);
const Removed = screenOnDemand(() =>
  import("./screens/removed.tsx").then((part) => part.Removed)
);
const Failed = screenOnDemand(() =>
  import("./screens/failed.tsx").then((part) => part.Failed)
);
const Securing = screenOnDemand(() =>
  import("./screens/securing.tsx").then((part) => part.Securing)
);

/** `page`: what the address promises, shown until it is known what is stored here. */
export default function App({ page }: { page: Page }) {
  useEffect(() => {
    const stops = [
      watchInvitations(),
      followTheme(),
      followHistory(),
      watchVisibility(),
      startClock(),
      watchUse(() => {
        const { value } = source;
        if (value.at === "open") value.messenger.touched();
      }),
    ];
    // Its failure has a screen of its own.
    openMessenger().catch((error) => {
      console.error("Whisper could not be opened", error);
    });
    return () => stops.forEach((stop) => stop());
  }, []);

  const opened = source.value;
  const at = opened.at === "open" ? opened.messenger.phase.value.at : opened.at;
  useLayoutEffect(() => {
    if (at === "no-account") settleAt("/");
    if (at !== "opening" && at !== "failed") noteAccount(at);
  }, [at]);

  return (
    <>
      {screen(opened, page)}
      <Loudspeaker />
    </>
  );
}

function screen(opened: Source, page: Page): VNode {
  // The landing can be read and pressed while the rest is loading; the messenger can't be shown without it.
  const opening = page === "landing" ? welcome() : <Starting />;
  if (opened.at === "opening") return opening;
  if (opened.at === "failed") return <NotLoaded />;
  const { messenger } = opened;
  const phase = messenger.phase.value;
  switch (phase.at) {
    case "starting":
      return opening;
    case "no-account":
      return welcome();
    case "logged-out":
      return <LogIn key="sealed" sealed={messenger} />;
    case "locked":
      return (
        <Locked
          messenger={messenger}
          by={phase.by}
          triesLeft={phase.triesLeft}
        />
      );
    case "securing":
      return <Securing share={phase.share} />;
    case "removed":
      return <Removed />;
    case "elsewhere":
      return <Elsewhere messenger={messenger} />;
    case "ready":
      return <Messenger messenger={messenger} />;
    case "storage-full":
      return <StorageFull messenger={messenger} />;
    case "failed":
      return phase.reason === "not-loaded"
        ? <NotLoaded />
        : <Failed reason={phase.reason} />;
  }
}

/** Not a component: what was typed before the messenger was there stays when it is. */
function welcome(): VNode {
  switch (place.value.step) {
    case "landing":
      return <Landing />;
    case "create":
      return <CreateAccount />;
    case "log-in":
      return <LogIn key="fresh" />;
  }
}
