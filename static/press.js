// A button pressed before the page has come to life is not pressed in vain: lib/web/hydrate.ts presses it again.
addEventListener("click", ({ target }) => {
  const button = target instanceof Element
    ? target.closest("is-land:not([data-ready]) button")
    : null;
  if (!button) return;
  document.querySelector("[data-pressed]")?.removeAttribute("data-pressed");
  button.setAttribute("data-pressed", "");
}, true);
