/** What is fetched when a device is to be announced or followed. */
export { Devices } from "./devices.ts";
