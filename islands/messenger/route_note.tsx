/** By what other server somebody is reached, whether it is there, and another way to it. */
import "./route_note.css";
import { Route as RouteIcon } from "lucide-preact";
import type { ConversationView, Route } from "../../lib/client/view.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { ask } from "./contact_tasks.ts";

const words = textOnDemand.route;

export function RouteNote(
  { route: { host, reach, overTor }, view }: {
    route: Extract<Route, { at: "other" }>;
    view: ConversationView;
  },
) {
  const { action } = textOnDemand.circuit;
  return (
    <div class="route">
      <p
        class={`route-note route-${reach}`}
        role={reach === "unreachable" || reach === "refused"
          ? "status"
          : undefined}
        translate={false}
      >
        {words[reach](host)}
        {overTor && words.overTor}
      </p>
      <button
        type="button"
        class="route-circuit"
        aria-label={action}
        title={action}
        onClick={() => ask("circuit", view)}
      >
        <RouteIcon size={14} />
      </button>
    </div>
  );
}
