/** People who invite each other by links. */
import assert from "node:assert/strict";
import type { InvitationsView, OpenedInvitation } from "../view.ts";
import type { Person, World } from "./world.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export function invitationsOf(
  { messenger }: Person,
): Promise<InvitationsView> {
  return messenger.invite.openInvitations();
}

/** A new link, as a page would have it. */
export async function linkOf(
  world: World,
  person: Person,
  { lifetime = 7 * DAY, uses = 1 } = {},
): Promise<string> {
  const invitations = await invitationsOf(person);
  await invitations.create({ lifetime, uses });
  await world.until(
    () => invitations.making.value.at !== "making",
    "a link is made",
  );
  const made = invitations.making.value;
  assert.equal(made.at, "made", JSON.stringify(made));
  const id = made.at === "made" ? made.id : "";
  const link = invitations.given.value.find((given) => given.id === id);
  assert.ok(link?.fragment);
  return link.fragment;
}

/** Opens a link. Resolves when it is known whose it is, or why not. */
export async function opened(
  world: World,
  person: Person,
  link: string,
): Promise<OpenedInvitation> {
  const invitations = await invitationsOf(person);
  await invitations.open(link);
  await world.until(
    () => invitations.opened.value.at !== "looking",
    "a link is looked at",
  );
  return invitations.opened.value;
}

/** Opens a link and asks by it. Resolves when the relay has it, or it has failed. */
export async function asks(
  world: World,
  person: Person,
  link: string,
): Promise<void> {
  const invitations = await invitationsOf(person);
  const found = await opened(world, person, link);
  assert.equal(found.at, "found", JSON.stringify(found));
  await invitations.ask();
  await world.until(
    () => !invitations.asked.value.some(({ state }) => state.at === "sending"),
    "somebody has asked",
  );
}

/** Until somebody asks, and says yes to them. */
export async function accepts(world: World, person: Person): Promise<void> {
  const invitations = await invitationsOf(person);
  await world.until(
    () => invitations.requests.value.length > 0,
    "somebody asks",
  );
  await invitations.accept(invitations.requests.value[0].id);
  await world.until(
    () => invitations.outcome.value !== undefined,
    "something came of it",
  );
}
