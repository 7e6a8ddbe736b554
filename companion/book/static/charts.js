// Replaces the static picture of a chart with the interactive one, drawn for the width at hand, once the reader does
// something and is near the chart; the library that draws is loaded then. Without JavaScript the static pictures stay.
//
// For other scripts: `picture.live()` draws the chart at once and gives a promise of its Vega view, and each time that a
// picture is drawn, it has an event "drawn" with the view as its detail.
(() => {
  const here = document.currentScript.src;
  const near = { rootMargin: "600px 0px" };
  const acts = ["scroll", "wheel", "pointermove", "pointerdown", "keydown", "touchstart", "resize"];

  let loading;
  const library = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("vega.js", here);
      script.onload = () => resolve(window.vegaEmbed);
      script.onerror = reject;
      document.head.append(script);
    }));

  const setPlotWidth = (spec, width) => {
    if (spec.vconcat) spec.vconcat.forEach((part) => setPlotWidth(part, width));
    else if (spec.spec) setPlotWidth(spec.spec, width);
    else spec.width = width;
  };

  const prepare = (picture) => {
    const source = picture.querySelector("script[type='application/json']");
    const live = picture.querySelector(".exhibit-live");
    const margin = Number(source.dataset.margin);
    let spec, waiting, view;
    let drawn = 0;
    const draw = async () => {
      const width = Math.floor(picture.clientWidth);
      if (!width || width === drawn) return view;
      drawn = width;
      spec ??= JSON.parse(source.textContent);
      setPlotWidth(spec, width - margin);
      live.style.minHeight = `${live.offsetHeight}px`; // nothing below moves while it is drawn again
      // Its expressions are interpreted: the page's policy lets no text become code.
      const embed = await library();
      ({ view } = await embed(live, spec, { renderer: "svg", actions: false, ast: true }));
      // Marks that stand for no data, such as a line at a limit, have no name to read out.
      live.querySelectorAll("[role='graphics-symbol']:not([aria-label])").forEach((mark) => {
        mark.removeAttribute("role");
        mark.setAttribute("aria-hidden", "true");
      });
      picture.classList.add("is-live");
      live.style.minHeight = "";
      picture.dispatchEvent(new CustomEvent("drawn", { detail: view, bubbles: true }));
      return view;
    };
    let start;
    picture.live = () => {
      if (!start) {
        start = draw();
        new ResizeObserver(() => {
          clearTimeout(waiting);
          waiting = setTimeout(draw, 100);
        }).observe(picture);
      }
      return start.then(() => view);
    };
  };

  const pictures = [...document.querySelectorAll(".exhibit-picture")];
  pictures.forEach(prepare);
  const observe = () => {
    acts.forEach((act) => removeEventListener(act, observe));
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        target.live();
      }
    }, near);
    pictures.forEach((picture) => observer.observe(picture));
  };
  acts.forEach((act) => addEventListener(act, observe, { passive: true }));
})();
