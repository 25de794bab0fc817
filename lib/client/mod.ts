/** The messenger without a screen: what islands and the command line build on. */
export { Messenger, NotReadyError } from "./messenger.ts";
export type * from "./view.ts";
