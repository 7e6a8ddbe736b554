// Replaces the static picture of each chart with the interactive one, drawn for the width at hand.
// Without JavaScript the static pictures stay.
const setPlotWidth = (spec, width) => {
  if (spec.vconcat) spec.vconcat.forEach((part) => setPlotWidth(part, width));
  else if (spec.spec) setPlotWidth(spec.spec, width);
  else spec.width = width;
};

const enliven = (picture) => {
  const source = picture.querySelector("script[type='application/json']");
  const live = picture.querySelector(".exhibit-live");
  const spec = JSON.parse(source.textContent);
  const margin = Number(source.dataset.margin);
  let drawn = 0;
  const draw = async () => {
    const width = Math.floor(picture.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    setPlotWidth(spec, width - margin);
    // Its expressions are interpreted: the page's policy lets no text become code.
    const { view } = await vegaEmbed(live, spec, { renderer: "svg", actions: false, ast: true });
    picture.classList.add("is-live");
    picture.dispatchEvent(new CustomEvent("drawn", { detail: view }));
  };
  new ResizeObserver(lodashDebounce(draw, 100)).observe(picture);
};

document.querySelectorAll(".exhibit-picture").forEach(enliven);
