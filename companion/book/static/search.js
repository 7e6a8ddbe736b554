// The search over exhibits, statements, sections, tables and terms. What can be found stands in search-index.js, which is
// a script and not data, so that it can be read from a folder, too.
(() => {
  const SHOWN = 5; // of each group, until the reader asks for all
  const TITLES = { exhibit: "Exhibits", claim: "Statements", section: "Chapters", table: "Data", term: "Glossary" };
  const field = document.querySelector(".found-search input");
  const count = document.querySelector(".found-count");
  const list = document.querySelector(".found");

  // Words as readers write them: "F-35" and "7.1" are one, and so are the parts that they have.
  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+(?:[-_.,’'][\p{L}\p{N}]+)*/gu) ?? [];
  const known = new Set();
  const tokens = (text) => {
    const found = words(text).flatMap((word) => [word, ...(/[-_’']/.test(word) ? word.split(/[-_’']/) : [])]);
    found.forEach((word) => known.add(word));
    return found;
  };
  const engine = new MiniSearch({
    fields: ["label", "title", "text", "more"],
    tokenize: tokens,
    processTerm: (term) => term,
  });
  const entries = companionIndex.map((entry, id) => ({ id, ...entry }));
  engine.addAll(entries);

  const whole = entries.map((entry) => [entry.label, entry.title, entry.text, entry.more].join(" ").toLowerCase());
  const find = (query) => {
    const wanted = words(query);
    if (!wanted.length) return [];
    const sentence = query.trim().toLowerCase();
    const parts = wanted.map((word) => {
      const begun = word.length > 2 ? [...known].filter((other) => other.startsWith(word)) : [];
      const within = word.length > 4 || (word.length > 2 && !begun.length) ? [...known].filter((other) => other.includes(word)) : [];
      return { combineWith: "OR", queries: [...new Set([word, ...begun, ...within])] };
    });
    return engine.search(
      { combineWith: "AND", queries: parts },
      {
        tokenize: (term) => [term],
        boost: { label: 6, title: 3, text: 1.5, more: 1 },
        // A part of a word counts less than its beginning, which counts less than the word.
        boostTerm: (term) => (wanted.includes(term) ? 1 : wanted.some((word) => term.startsWith(word)) ? 0.6 : 0.3),
        // The words as they were typed, one after the other; and what the book is about before what it says of it.
        boostDocument: (id) =>
          (whole[id].includes(sentence) ? 3 : 1) *
          (entries[id].title.toLowerCase().startsWith(sentence) ? 2 : 1) *
          (entries[id].label.toLowerCase() === sentence || entries[id].title.toLowerCase() === sentence ? 20 : 1) *
          { exhibit: 1.3, claim: 1.2, section: 1, table: 0.2, term: 1 }[entries[id].group],
      },
    );
  };

  const marked = (text, wanted) => {
    const part = document.createElement("span");
    const pattern = companionWords(wanted);
    let at = 0;
    for (const match of text.matchAll(pattern)) {
      part.append(text.slice(at, match.index), Object.assign(document.createElement("mark"), { textContent: match[0] }));
      at = match.index + match[0].length;
    }
    part.append(text.slice(at));
    return part;
  };

  // The words around the first place that has one of those that were asked for.
  const excerpt = (entry, wanted) => {
    const text = [entry.text, entry.more].filter(Boolean).join(" · ");
    const places = wanted.map((word) => text.toLowerCase().indexOf(word)).filter((at) => at >= 0);
    const start = Math.max(0, Math.min(...places, text.length) - 60);
    const from = !places.length || start === 0 ? 0 : text.indexOf(" ", start) + 1;
    return `${from ? "… " : ""}${text.slice(from, from + 180)}${text.length > from + 180 ? " …" : ""}`;
  };

  const item = (entry, wanted) => {
    const [page, anchor] = entry.page.split("#");
    const link = document.createElement("a");
    link.href = `${page}?found=${encodeURIComponent(wanted.join(" "))}${anchor ? `#${anchor}` : ""}`;
    const title = document.createElement("strong");
    title.append(...marked(entry.title, wanted).childNodes);
    link.append(marked(entry.label, wanted), title, marked(excerpt(entry, wanted), wanted));
    const row = document.createElement("li");
    row.append(link);
    return row;
  };

  const show = () => {
    const query = field.value;
    const wanted = words(query);
    const found = find(query).map(({ id }) => entries[id]);
    const groups = new Map(); // in the order of the best of each
    for (const entry of found) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
    list.replaceChildren(
      ...[...groups].map(([group, members]) => {
        const section = document.createElement("section");
        const heading = document.createElement("h2");
        const small = Object.assign(document.createElement("small"), { textContent: ` ${members.length}` });
        heading.append(TITLES[group], small);
        const rows = document.createElement("ol");
        rows.append(...members.slice(0, SHOWN).map((entry) => item(entry, wanted)));
        section.append(heading, rows);
        if (members.length > SHOWN) {
          const all = Object.assign(document.createElement("button"), { type: "button", textContent: `Show all ${members.length}` });
          all.addEventListener("click", () => {
            rows.append(...members.slice(SHOWN).map((entry) => item(entry, wanted)));
            rows.children[SHOWN].firstChild.focus();
            all.remove();
          });
          section.append(all);
        }
        return section;
      }),
    );
    count.textContent = !wanted.length ? "" : `${found.length || "No"} ${found.length === 1 ? "place" : "places"} found`;
  };

  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      show();
      history.replaceState(null, "", field.value ? `?${new URLSearchParams({ q: field.value })}` : location.pathname);
    }, 100);
  });
  // Arrows lead from hit to hit, and back into the field.
  addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [field, ...list.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.max(0, Math.min(stops.length - 1, at + step))].focus();
  });
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    show();
    list.querySelector("a")?.focus();
  });
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  show();
  field.focus();
})();
