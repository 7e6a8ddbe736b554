// Draws charts in a script engine without a browser. Vega asks a browser for two things: a copy of a value, and how wide
// words are, which here follows from the widths of the font's letters (`widths`, in parts of its size, by weight).
globalThis.structuredClone = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

const widthOf = (item, text) => {
  const bold = item.fontWeight === "bold" || Number(item.fontWeight) > 500;
  const letters = widths[bold ? "bold" : "normal"];
  let width = 0;
  for (const letter of String(text)) width += letters[letter] ?? 1;
  width *= item.fontSize ?? 11;
  return item.limit > 0 ? Math.min(width, item.limit) : width;
};

// A chart, and the signals of Vega that hold the width of its plots.
const prepare = (name, text, width) => {
  const { spec } = vegaLite.compile(JSON.parse(text));
  const signals = (spec.signals ?? []).filter((signal) => /width$/i.test(signal.name) && signal.value === width);
  const names = signals.map((signal) => signal.name);
  if (spec.width === width) names.push("width");
  return { name, names, view: new vega.View(vega.parse(spec), { renderer: "none" }) };
};

// What is drawn once more with plots of another width is not made anew, which takes five times as long.
let last;
const draw = async (name, text, width) => {
  vega.textMetrics.width = widthOf;
  if (last?.name === name && last.names.length) {
    last.names.forEach((signal) => last.view.signal(signal, width));
    await last.view.runAsync();
    last.view.resize(); // what holds several plots is as wide as they were before
  } else {
    last?.view.finalize();
    last = prepare(name, text, width);
  }
  vega.resetSVGDefIds(); // what else was drawn does not count into the ids of this picture
  return last.view.toSVG();
};

// Vega draws as if it had to wait for something; that is over when `begin` returns.
let result;
const begin = (...chart) => {
  result = {};
  draw(...chart).then(
    (svg) => (result.svg = svg),
    (error) => (result.error = error),
  );
};
const drawn = () => {
  if (result.svg === undefined) throw result.error ?? new Error("the chart waits for something");
  return result.svg;
};
