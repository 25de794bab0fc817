// Before the first paint, so that a light page does not flash dark. islands/theme.ts does the rest.
(() => {
  const stored = localStorage.getItem("whisper-theme");
  const light = stored === "light" ||
    stored === "system" && matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = light ? "light" : "dark";
})();
