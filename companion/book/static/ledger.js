// Search, filters and sorting of the claims ledger. Without JavaScript the table is complete and in order.
(() => {
  const ledger = document.getElementById("ledger");
  const form = ledger.querySelector("form");
  const found = ledger.querySelector(".ledger-found");
  const body = ledger.querySelector("tbody");
  const heads = [...ledger.querySelectorAll("thead th")];
  const names = heads.map((head) => head.textContent.toLowerCase());
  const filters = ["section", "verdict", "kind"];
  const collator = new Intl.Collator("en", { numeric: true });

  const rows = [...body.rows].map((element) => {
    return {
      element,
      text: element.textContent.toLowerCase(),
      keys: [...element.cells].map((cell) => cell.dataset.rank ?? cell.textContent.trim()),
      ...element.dataset,
    };
  });

  // What the rows are sorted by stands in a field that is not seen: a column's name, with a minus from the last to the first.
  const first = heads.findIndex((head) => head.hasAttribute("aria-sort"));
  const sorted = () => {
    const by = form.elements.sort.value;
    const column = names.indexOf(by.replace("-", ""));
    return column < 0 ? { column: first, descending: false } : { column, descending: by.startsWith("-") };
  };

  // Where there is no room for all, a row is short until it is asked for, or until its words are looked for.
  const open = (row, isOpen) => {
    row.classList.toggle("is-open", isOpen);
    row.querySelector(".ledger-more").setAttribute("aria-expanded", isOpen);
  };
  for (const { element } of rows) {
    const more = Object.assign(document.createElement("button"), { type: "button", className: "ledger-more" });
    more.setAttribute("aria-label", `${element.cells[0].textContent.trim()} in full`);
    more.addEventListener("click", () => open(element, !element.classList.contains("is-open")));
    element.querySelector(".ledger-verdict").append(more);
    open(element, false);
  }
  const go = () => {
    const [, id] = location.hash.match(/^#(?:ledger-)?(c\d+)$/i) ?? [];
    const row = id && document.getElementById(`ledger-${id.toLowerCase()}`);
    if (!row) return;
    open(row, true);
    if (location.hash !== `#${row.id}`) location.replace(`#${row.id}`);
  };

  const apply = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits =
        words.every((word) => row.text.includes(word)) &&
        filters.every((name) => !form.elements[name].value || form.elements[name].value.split("|").includes(row[name]));
      row.element.hidden = !fits;
      shown += fits;
    }
    ledger.classList.toggle("is-searched", words.length > 0);
    found.textContent = shown === rows.length ? `${shown} statements` : `${shown} of ${rows.length} statements`;
  };

  const order = () => {
    const sort = sorted();
    const sign = sort.descending ? -1 : 1;
    // An empty cell comes last in both directions.
    rows.sort((one, other) => {
      const [a, b] = [one.keys[sort.column], other.keys[sort.column]];
      return !a - !b || sign * collator.compare(a, b) || collator.compare(one.keys[0], other.keys[0]);
    });
    body.append(...rows.map((row) => row.element));
    heads.forEach((head, column) => {
      if (column === sort.column) head.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };

  const show = () => {
    order();
    apply();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const now = sorted();
      const descending = now.column === column && !now.descending;
      form.elements.sort.value = column === first && !descending ? "" : `${descending ? "-" : ""}${names[column]}`;
      form.dispatchEvent(new Event("input"));
    });
    head.append(button);
  });
  form.addEventListener("input", show);
  form.addEventListener("recall", show);
  form.addEventListener("reset", () => {
    setTimeout(() => {
      form.elements.sort.value = "";
      form.dispatchEvent(new Event("input"));
    });
  });
  form.hidden = false;
  window.addEventListener("hashchange", go);
  go();
})();
