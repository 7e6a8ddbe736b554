// What an exhibit does besides standing there: views, menus, copying, sorting, reading off values. Its state is kept in
// the address, as in #figure-1:view=table. Without JavaScript the views stand one below the other, and the menus open.
(() => {
  const collator = new Intl.Collator("en", { numeric: true });

  // Addresses: "#figure-1:view=table" is an exhibit and what it shows; what it shows by itself is left out.
  const addressed = () => {
    const [id, state = ""] = decodeURIComponent(location.hash.slice(1)).split(":");
    const figure = document.getElementById(id)?.closest("figure.exhibit"); // the id of an exhibit, or of one that it absorbed
    return figure ? [figure, new URLSearchParams(state)] : [];
  };
  const addressOf = (figure) => {
    const state = [...Object.entries(figure.state)].filter(([name, value]) => value !== figure.published[name]);
    return `#${figure.id}${state.length ? `:${new URLSearchParams(state)}` : ""}`;
  };
  const change = (figure, state) => {
    Object.assign(figure.state, state);
    figure.dispatchEvent(new Event("state"));
  };
  const choose = (figure, state) => {
    change(figure, state);
    history.replaceState(null, "", addressOf(figure));
  };
  const recall = () => {
    const [figure, state] = addressed();
    if (!figure) return;
    change(figure, { ...figure.published, ...Object.fromEntries(state) });
    if (state.size) figure.scrollIntoView();
  };

  // Views: links to the parts of the exhibit become tabs.
  const makeTabs = (figure) => {
    const list = figure.querySelector(".exhibit-tabs");
    const tabs = [...list.children];
    const views = [...figure.querySelectorAll(".exhibit-view")];
    list.setAttribute("role", "tablist");
    for (const tab of tabs) {
      const panel = document.getElementById(tab.hash.slice(1));
      tab.id = `${figure.id}-tab-${tab.dataset.view}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        choose(figure, { view: tab.dataset.view });
      });
    }
    list.addEventListener("keydown", (event) => {
      const now = tabs.indexOf(event.target);
      const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: -1 }[event.key];
      if (event.key === " ") event.target.click();
      if (next === undefined && event.key !== " ") return;
      event.preventDefault();
      const tab = tabs.at(next % tabs.length);
      if (tab) {
        tab.focus();
        tab.click();
      }
    });
    const show = () => {
      const shown = tabs.find((tab) => tab.dataset.view === figure.state.view) ?? tabs[0];
      figure.dataset.view = shown.dataset.view;
      for (const tab of tabs) {
        tab.setAttribute("aria-selected", tab === shown);
        tab.tabIndex = tab === shown ? 0 : -1;
      }
      for (const view of views) view.open = view.dataset.view === shown.dataset.view;
    };
    figure.addEventListener("state", show);
    figure.published.view = tabs[0].dataset.view;
  };

  // A control sets a parameter of the chart. Of a choice, each view has words, downloads and citations of its own.
  const makeControls = (figure) => {
    const box = figure.querySelector(".exhibit-controls");
    if (!box) return;
    const said = JSON.parse(box.querySelector("script").textContent);
    const picture = figure.querySelector(".exhibit-picture");
    const changed = box.querySelector(".exhibit-changed");
    const controls = [...box.querySelectorAll("[data-name]")].map((element) => {
      const { name, param } = element.dataset;
      const options = [...element.querySelectorAll("option, input")];
      figure.published[name] = options[0].value;
      const chosen = () => options.find((option) => option.value === figure.state[name]) ?? options[0];
      return { name, param, options, chosen, set: () => chosen() !== options[0] };
    });
    const shown = () => {
      const views = controls.filter(({ chosen, set }) => "view" in chosen().dataset && set());
      return views.map(({ chosen }) => chosen().value).join("_") || Object.keys(said)[0];
    };
    let view, ofReader;
    const draw = async () => {
      const isSet = controls.some((control) => control.set());
      figure.toggleAttribute("data-waiting", !view && isSet);
      if (!view && isSet) view = await picture.live(); // a choice need not wait for the reader to come near
      if (!view) return;
      for (const { param, chosen } of controls) view.signal(param, JSON.parse(chosen().dataset.value));
      // What an address asks for moves nothing on the page; what a reader asks for has the height that it needs.
      picture.style.minHeight = ofReader ? "" : `${picture.offsetHeight}px`;
      await view.resize().runAsync();
      picture.querySelector(".exhibit-live svg").setAttribute("aria-label", said[shown()].alt);
    };
    const show = () => {
      for (const { chosen } of controls) chosen()[chosen().matches("option") ? "selected" : "checked"] = true;
      const words = said[shown()];
      for (const part of ["title", "subtitle", "note"]) {
        const place = figure.querySelector(`.exhibit-${part}`);
        if (place) place.textContent = words[part];
      }
      for (const part of figure.querySelectorAll("[data-choice]")) part.hidden = part.dataset.choice !== shown();
      const isSet = controls.some((control) => control.set());
      changed.hidden = !isSet;
      figure.toggleAttribute("data-changed", isSet);
      draw();
    };
    box.addEventListener("change", ({ target }) => {
      ofReader = true;
      choose(figure, { [target.closest("[data-name]").dataset.name]: target.value });
      figure.querySelector(".exhibit-kicker .exhibit-said").textContent = said[shown()].title;
    });
    changed.querySelector("button").addEventListener("click", () => {
      ofReader = true;
      choose(figure, Object.fromEntries(controls.map(({ name }) => [name, figure.published[name]])));
      (controls[0].options[0].closest("select") ?? controls[0].options[0]).focus();
    });
    picture.addEventListener("drawn", ({ detail }) => {
      view = detail;
      draw();
    });
    figure.addEventListener("state", show);
  };

  // Copying says that it did, to the eye and to a screen reader.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // where the browser keeps the clipboard to itself
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const copies = (button, figure, text) => {
    const words = button.textContent;
    const said = figure.querySelector(".exhibit-said");
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      await copy(text());
      button.textContent = "Copied";
      said.textContent = `${button.getAttribute("aria-label")}: copied`;
      setTimeout(() => {
        button.textContent = words;
        said.textContent = "";
      }, 2000);
    });
  };
  const makeCopying = (figure) => {
    const page = () => location.href.split("#")[0];
    copies(figure.querySelector(".exhibit-link"), figure, () => page() + addressOf(figure));
    for (const button of figure.querySelectorAll(".exhibit-copy")) {
      const text = button.previousElementSibling;
      if (text.matches("pre")) {
        // A copy of the book that has no site of its own is embedded from where it is.
        text.textContent = text.textContent.replace(/ src="(?!\w+:)([^"]+)"/, (_, path) => ` src="${new URL(path, location)}"`);
      }
      copies(button, figure, () => text.textContent.trim());
    }
  };

  // Menus: the browser opens them, one at a time; Escape and a click beside close them.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll(".exhibit-menus details[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest(".exhibit-menus details")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".exhibit-menus details[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // Tables are sorted by a column: first upwards, then downwards. An empty cell comes last both ways.
  const makeSorting = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const key = (row, column) => {
      const cell = row.cells[column];
      const text = cell.textContent.trim();
      return text === "–" ? "" : cell.classList.contains("number") ? Number(text.replaceAll(",", "").replace("−", "-")) : text;
    };
    const sort = (column, descending) => {
      const sign = descending ? -1 : 1;
      const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));
      const keyed = rows.map((row, place) => [key(row, column), place, row]);
      keyed.sort(([a, i], [b, j]) => (a === "") - (b === "") || sign * compare(a, b) || i - j);
      body.append(...keyed.map(([, , row]) => row));
      heads.forEach((head, place) => {
        if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "ascending"));
      head.append(button);
    });
  };

  // Values: the pointer, a finger or the arrow keys find the nearest mark that has something to say.
  const makeReading = (figure) => {
    const picture = figure.querySelector(".exhibit-picture");
    const live = picture?.querySelector(".exhibit-live");
    if (!live) return;
    const said = document.createElement("p");
    said.className = "exhibit-said";
    said.setAttribute("aria-live", "polite");
    picture.append(said);
    let tell, now;
    const middle = ({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2];
    const find = () => {
      const elements = [...live.querySelectorAll("svg.marks *")].filter((element) => element.__data__?.tooltip);
      return elements.map((element) => ({ element, box: element.getBoundingClientRect() }));
    };
    const show = ({ element, box }, place) => {
      const [clientX, clientY] = place ?? middle(box);
      const item = element.__data__;
      tell({ preventDefault() {}, clientX, clientY, pageX: clientX + scrollX, pageY: clientY + scrollY, target: element }, item, item.tooltip);
      now?.element.classList.remove("exhibit-read");
      now = { element, box };
      element.classList.add("exhibit-read");
    };
    const hide = () => {
      tell?.({}, null, null);
      now?.element.classList.remove("exhibit-read");
      now = undefined;
    };
    const away = ({ left, right, top, bottom }, x, y) =>
      Math.max(left - x, 0, x - right) * 2 + Math.max(top - y, 0, y - bottom); // what stands at the same place on the axis is nearer
    const point = (event) => {
      const near = find().map((mark) => ({ mark, far: away(mark.box, event.clientX, event.clientY) }));
      const best = near.reduce((one, other) => (other.far < one.far ? other : one), { far: Infinity });
      if (best.mark) show(best.mark, [event.clientX, event.clientY]);
    };
    live.addEventListener("pointermove", point);
    live.addEventListener("pointerdown", point);
    live.addEventListener("pointerleave", hide);
    live.addEventListener("blur", hide);
    live.addEventListener("keydown", (event) => {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (event.key === "Escape") hide();
      if (!way) return;
      event.preventDefault();
      const marks = find();
      const here = now && middle(now.element.getBoundingClientRect());
      // The nearest mark in that direction; what lies aside counts four times.
      const ahead = ({ box }) => {
        const [dx, dy] = middle(box).map((place, axis) => place - here[axis]);
        const along = way[0] ? dx * way[0] : dy * way[1];
        return along > 0.5 ? along + 4 * Math.abs(way[0] ? dy : dx) : Infinity;
      };
      const far = here ? marks.map(ahead) : [0];
      const next = marks[far.indexOf(Math.min(...far))];
      if (!next || Math.min(...far) === Infinity) return;
      show(next);
      said.textContent = Object.entries(next.element.__data__.tooltip)
        .map(([name, value]) => `${name}: ${value}`)
        .join(", ");
    });
    picture.addEventListener("drawn", ({ detail: view }) => {
      const handler = view.tooltip();
      now = undefined;
      tell = (event, item, value) => handler.call(view, null, event, item, value);
      live.tabIndex = 0;
      live.setAttribute("role", "group");
      live.setAttribute("aria-label", "Values of the chart, by arrow keys");
    });
  };

  for (const figure of document.querySelectorAll("figure.exhibit")) {
    figure.published = {};
    makeControls(figure);
    makeTabs(figure);
    makeCopying(figure);
    makeReading(figure);
    figure.querySelectorAll(".exhibit-table table").forEach(makeSorting);
    figure.state = { ...figure.published };
    change(figure, {});
  }
  window.addEventListener("hashchange", recall);
  recall();
})();
