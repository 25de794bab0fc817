export { PoolFiller, type PoolFillerEvents } from "./pool_filler.ts";
