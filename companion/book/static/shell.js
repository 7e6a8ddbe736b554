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

  // Beside a word of the glossary, what it means: by pointer, by keys, and by a first touch. Its link leads to the glossary.
  let shown, leaving;
  const hide = () => {
    shown?.hidePopover();
    shown = undefined;
  };
  document.querySelectorAll("a.term").forEach((term, place) => {
    const words = Object.assign(document.createElement("p"), { id: `term-${place}`, className: "term-words", role: "tooltip", popover: "manual" });
    words.textContent = term.dataset.meaning;
    term.setAttribute("aria-describedby", words.id);
    document.querySelector("main").append(words);
    const show = () => {
      clearTimeout(leaving);
      if (shown === words) return;
      hide();
      shown = words;
      words.showPopover();
      const at = term.getClientRects()[0];
      const most = document.documentElement.clientWidth - words.offsetWidth - 8;
      const below = at.bottom + 4;
      const above = at.top - 4 - words.offsetHeight;
      words.style.left = `${Math.max(8, Math.min(at.left, most))}px`;
      words.style.top = `${below + words.offsetHeight > innerHeight && above > 0 ? above : below}px`;
    };
    for (const part of [term, words]) {
      part.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show());
      part.addEventListener("pointerleave", () => (leaving = setTimeout(hide, 200))); // time to reach what is shown
    }
    term.addEventListener("focus", () => term.matches(":focus-visible") && show());
    term.addEventListener("blur", hide);
    term.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || shown === words) return;
      event.preventDefault();
      show();
    });
  });
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("pointerdown", (event) => event.target.closest(".term, .term-words") || hide());
  addEventListener("scroll", hide, { passive: true });

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
