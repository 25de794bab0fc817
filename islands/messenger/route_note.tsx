/** By what other server somebody is reached, and whether it is there. */
import "./route_note.css";
import type { Route } from "../../lib/client/view.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.route;

export function RouteNote(
  { route: { host, reach } }: { route: Extract<Route, { at: "other" }> },
) {
  return (
    <p
      class={`route-note route-${reach}`}
      role={reach === "unreachable" || reach === "refused"
        ? "status"
        : undefined}
      translate={false}
    >
      {words[reach](host)}
    </p>
  );
}
