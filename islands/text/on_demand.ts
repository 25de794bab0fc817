/** The words in use where something was opened or asked for. See mod.ts. */
import { enOnDemand, type TextOnDemand } from "./en_on_demand.ts";

export const textOnDemand: TextOnDemand = enOnDemand;
