/**
 * Runs in a page: says `texts` in the first conversation of this browser's account, all through the
 * messenger as it is, only without its screen. Resolves when the relay has them.
 */
import * as secrets from "../islands/lock/secrets.ts";
import { openBrowserMessenger } from "../lib/client/browser.ts";

export async function say(texts: readonly string[]): Promise<void> {
  const messenger = await openBrowserMessenger(secrets);
  const [summary] = messenger.conversations.value;
  const conversation = summary && messenger.conversation(summary.id);
  if (!conversation) throw new Error("nobody to talk to");
  for (const text of texts) await conversation.send(text);
  const waiting = () =>
    conversation.messages.value.filter(({ state }) => state === "sending");
  while (waiting().length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await messenger.close();
}
