// The reader's colors, copying, the keys of the search, and the words that the search has found. All else of a page works
// without this.
(() => {
  const page = document.documentElement;

  const modes = { auto: "as the system", light: "light", dark: "dark" };
  const button = document.querySelector(".book-mode");
  const name = () => button.setAttribute("aria-label", `Colors: ${modes[page.dataset.mode]}`);
  button.addEventListener("click", () => {
    const all = Object.keys(modes);
    localStorage.setItem("mode", all[(all.indexOf(page.dataset.mode) + 1) % all.length]);
    page.dispatchEvent(new Event("mode"));
    name();
  });
  name();

  for (const code of document.querySelectorAll("div.highlight > pre")) {
    const copy = Object.assign(document.createElement("button"), { type: "button", className: "copybtn", textContent: "Copy" });
    const text = code.textContent;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.trimEnd());
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 2000);
    });
    code.parentElement.append(copy);
  }

  // "/" and Control+K lead to the search: to its field where one is in sight, or else to its page.
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const wanted = event.key === "k" ? event.ctrlKey || event.metaKey : event.key === "/" && !typing;
    if (!wanted || event.altKey) return;
    event.preventDefault();
    const fields = [...document.querySelectorAll(".found-search input, .book-search input")];
    const field = fields.find((field) => field.checkVisibility());
    if (field) field.select();
    else location.assign(document.querySelector(".book-search").action);
  });

  // Finds words in a text, and parts of words where they are longer than two letters.
  const pattern = (words) => {
    const escaped = words.map((word) => {
      const text = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      return word.length > 2 ? text : `(?<![\\p{L}\\p{N}])${text}(?![\\p{L}\\p{N}])`;
    });
    return new RegExp(escaped.join("|"), "giu");
  };
  window.companionWords = pattern; // the search marks them, too

  // A link of the search carries its words. They are marked in the text, which stays as it is.
  const words = new URLSearchParams(location.search).get("found")?.split(" ").filter(Boolean) ?? [];
  if (words.length && window.Highlight) {
    const ranges = [];
    const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const found of texts.currentNode.data.matchAll(pattern(words))) {
        const range = new Range();
        range.setStart(texts.currentNode, found.index);
        range.setEnd(texts.currentNode, found.index + found[0].length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
})();
