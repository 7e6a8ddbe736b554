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

  const first = { column: heads.findIndex((head) => head.hasAttribute("aria-sort")), descending: false };
  let sort = first;

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
    found.textContent = shown === rows.length ? `${shown} statements` : `${shown} of ${rows.length} statements`;
  };

  const order = () => {
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

  // The state is kept in the address, so that a link leads to the same rows.
  const remember = () => {
    const state = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    if (sort.column !== first.column || sort.descending) state.set("sort", `${sort.descending ? "-" : ""}${names[sort.column]}`);
    history.replaceState(null, "", state.size ? `#${state}` : location.pathname + location.search);
  };

  const recall = () => {
    if (location.hash && !location.hash.includes("=")) return; // a link to one claim
    const state = new URLSearchParams(location.hash.slice(1));
    for (const name of ["words", ...filters]) form.elements[name].value = state.get(name) ?? "";
    const by = state.get("sort") ?? "";
    const column = names.indexOf(by.replace("-", ""));
    sort = column < 0 ? first : { column, descending: by.startsWith("-") };
    order();
    apply();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      sort = { column, descending: sort.column === column && !sort.descending };
      order();
      remember();
    });
    head.append(button);
  });
  let waiting;
  form.addEventListener("input", () => {
    apply();
    clearTimeout(waiting);
    waiting = setTimeout(remember, 200); // browsers limit how often an address may change
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    setTimeout(() => {
      sort = first;
      order();
      apply();
      remember();
    });
  });
  window.addEventListener("hashchange", recall);
  form.hidden = false;
  recall();
})();
