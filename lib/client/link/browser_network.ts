import type { Network } from "./transport.ts";

/** What the browser says about its network. "Offline" can be wrong: a relay on this machine still answers. */
export const browserNetwork: Network = {
  online: () => navigator.onLine,
  watch(changed) {
    const online = () => changed(true);
    const offline = () => changed(false);
    addEventListener("online", online);
    addEventListener("offline", offline);
    return () => {
      removeEventListener("online", online);
      removeEventListener("offline", offline);
    };
  },
};
