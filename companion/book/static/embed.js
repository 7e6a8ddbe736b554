// Tells the page around an embedded exhibit how high it is, now and whenever that changes.
(() => {
  if (parent === window) return;
  const tell = () => parent.postMessage({ exhibit: document.querySelector("figure").id, height: document.body.offsetHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
})();
