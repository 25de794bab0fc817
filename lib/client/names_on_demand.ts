/** What it takes to give names and to tell them apart: fetched when there is something to it. */
export const names = () => import("./names.ts");
