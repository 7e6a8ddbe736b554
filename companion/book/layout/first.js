// The colors that the reader chose, or else the system's, before anything is drawn.
(() => {
  const page = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    page.dataset.mode = localStorage.getItem("mode") || "auto";
    page.dataset.theme = page.dataset.mode === "auto" ? (dark.matches ? "dark" : "light") : page.dataset.mode;
  };
  dark.addEventListener("change", show);
  page.addEventListener("mode", show);
  show();
})();
