/** The words in use. A second language is chosen here, and nowhere else. */
import { en, type Text } from "./en.ts";

export const text: Text = en;
