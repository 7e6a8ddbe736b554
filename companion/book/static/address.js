// Keeps what a form says in the address, so that a link leads to the same rows; an empty field is left out. A form with
// `data-address` that an address has filled gets an event "recall". Without JavaScript a page has its first state.
(() => {
  for (const form of document.querySelectorAll("form[data-address]")) {
    const remember = () => {
      const state = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
      history.replaceState(null, "", state.size ? `#${state}` : location.pathname + location.search);
    };
    const recall = () => {
      if (location.hash && !location.hash.includes("=")) return; // a link to a place on the page
      const state = new URLSearchParams(location.hash.slice(1));
      const names = new Set([...form.elements].map(({ name }) => name).filter(Boolean));
      for (const name of names) form.elements[name].value = state.get(name) ?? "";
      form.dispatchEvent(new Event("recall"));
    };
    let waiting;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(remember, 200); // browsers limit how often an address may change
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("hashchange", recall);
    recall();
  }
})();
