/** By what ways a person asks for the menu of a message: listened for at the log, for there may be ten thousand. */

/** The button of a message, and where the menu is to open if not there. */
export interface Opener {
  readonly button: HTMLButtonElement;
  readonly at?: DOMRect;
}

const BUTTON = ".bubble-options";
const MESSAGE = ".bubble";

/** A finger that stays for so long, ms, holds a message; if it moves by more than so many px it scrolls. */
const HELD = { ms: 500, px: 10 };

/** Calls `open` whenever somebody asks. Gives what ends it. */
export function findOpeners(
  log: HTMLElement,
  open: (opener: Opener) => void,
): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  listenForKeys(log, signal);
  listenForHolding(log, signal, open);
  log.addEventListener("click", ({ target }) => {
    const button = near(target, BUTTON);
    if (button instanceof HTMLButtonElement) open({ button });
  }, { signal });
  return () => ending.abort();
}

function near(target: EventTarget | null, selector: string) {
  return target instanceof Element ? target.closest(selector) : null;
}

/** The message that something happened to, when there is anything that can be done about it. */
function openerOf(target: EventTarget | null): Opener | undefined {
  // A link has a menu of the browser's.
  const message = near(target, "a") ? null : near(target, MESSAGE);
  const button = message?.querySelector<HTMLButtonElement>(BUTTON);
  return button ? { button } : undefined;
}

/** A right click, the keyboard's key for it, and a finger that stays. */
function listenForHolding(
  log: HTMLElement,
  signal: AbortSignal,
  open: (opener: Opener) => void,
): void {
  /** Opened once the button or finger is lifted: else that would close it again. */
  let held: Opener | undefined;
  let pressed:
    | { x: number; y: number; timer: ReturnType<typeof setTimeout> }
    | undefined;
  const mark = (opener: Opener | undefined) => {
    held?.button.closest(MESSAGE)?.removeAttribute("data-held");
    held = opener;
    held?.button.closest(MESSAGE)?.setAttribute("data-held", "");
  };
  const release = () => {
    clearTimeout(pressed?.timer);
    pressed = undefined;
  };

  log.addEventListener("contextmenu", (event) => {
    const opener = openerOf(event.target);
    const selection = getSelection();
    const selected = selection?.isCollapsed === false &&
      selection.containsNode(log, true);
    if (!opener || selected || event.shiftKey) return;
    event.preventDefault();
    const { clientX, clientY, buttons } = event;
    const byPointer = clientX > 0 || clientY > 0;
    const at = byPointer ? new DOMRect(clientX, clientY, 0, 0) : undefined;
    if (buttons === 0 && !pressed) open({ ...opener, at });
    else mark({ ...opener, at });
  }, { signal });

  log.addEventListener("pointerdown", (event) => {
    release();
    mark(undefined);
    if (event.pointerType !== "touch" || !event.isPrimary) return;
    const opener = openerOf(event.target);
    if (!opener) return;
    const { clientX: x, clientY: y } = event;
    const at = new DOMRect(x, y, 0, 0);
    const timer = setTimeout(() => mark({ ...opener, at }), HELD.ms);
    pressed = { x, y, timer };
  }, { signal });

  log.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!pressed) return;
    const { x, y } = pressed;
    if (Math.hypot(clientX - x, clientY - y) <= HELD.px) return;
    release();
    mark(undefined);
  }, { signal });

  const lift = () => {
    release();
    const opener = held;
    mark(undefined);
    if (opener) setTimeout(() => open(opener));
  };
  addEventListener("pointerup", lift, { signal });
  // It scrolls, or the browser has taken the press for its own.
  addEventListener("pointercancel", () => {
    release();
    mark(undefined);
  }, { signal });
}

/**
 * One of the buttons can be reached by Tab: the newest that is in view when the focus comes to the log.
 * Else there would be as many stops as messages.
 */
function listenForKeys(log: HTMLElement, signal: AbortSignal): void {
  let stop: HTMLButtonElement | undefined;
  const all = () => [...log.querySelectorAll<HTMLButtonElement>(BUTTON)];
  const stopAt = (button: HTMLButtonElement | undefined) => {
    if (stop) stop.tabIndex = -1;
    stop = button;
    if (stop) stop.tabIndex = 0;
  };
  // Before the focus moves.
  document.addEventListener("keydown", ({ key }) => {
    const there = near(document.activeElement, BUTTON) !== null;
    if (key === "Tab" && !there) stopAt(lastInView(all(), log));
  }, { signal, capture: true });
  log.addEventListener("keydown", (event) => {
    const from = near(event.target, BUTTON);
    if (!(from instanceof HTMLButtonElement)) return;
    const buttons = all();
    const at = buttons.indexOf(from);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: buttons.length - 1,
    };
    const to = buttons[moves[event.key]];
    if (moves[event.key] === undefined) return;
    event.preventDefault();
    if (!to) return;
    stopAt(to);
    to.focus();
  }, { signal });
}

/** They stand in their order: so the last that begins above the log's lower edge is found by halving. */
function lastInView(
  buttons: readonly HTMLButtonElement[],
  log: HTMLElement,
): HTMLButtonElement | undefined {
  const { bottom } = log.getBoundingClientRect();
  let [low, high] = [0, buttons.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { top } = buttons[middle].getBoundingClientRect();
    if (top < bottom) low = middle;
    else high = middle - 1;
  }
  return buttons[low];
}
