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

const draw = async (text) => {
  vega.textMetrics.width = widthOf;
  vega.resetSVGDefIds(); // what else was drawn does not count into the ids of this picture
  const { spec } = vegaLite.compile(JSON.parse(text));
  const view = new vega.View(vega.parse(spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
};
