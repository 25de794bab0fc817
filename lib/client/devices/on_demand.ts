/** What is fetched with the first connection: who has which devices, and what they tell each other. */
export { Devices } from "./devices.ts";
