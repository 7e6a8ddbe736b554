// Leads from a page of an edition to the same page in the others. What others there are stands in versions.js beside the
// editions, which is written anew with each, so that an old edition learns of a newer one.
(() => {
  const box = document.querySelector(".edition");
  const known = window.companionEditions;
  if (!box || !known || known.length < 2) return;
  const { version, page, root, changes } = box.dataset;

  const make = (name, text, attributes = {}) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.append(text);
    return element;
  };
  const there = (edition, wanted) =>
    `${root}${edition.folder}/${edition.pages.includes(wanted) ? wanted : "index.html"}`;

  const list = document.createElement("ul");
  for (const edition of known) {
    const words = `Version ${edition.version} (${edition.released})`;
    const item = document.createElement("li");
    if (edition.version === version) {
      item.append(make("span", words, { ariaCurrent: "true" }));
    } else {
      item.append(make("a", words, { href: there(edition, page) }));
    }
    list.append(item);
  }
  const all = make("li", "");
  all.append(make("a", "All editions", { href: `${root}editions.html` }));
  list.append(all);
  const details = make("details", "");
  details.append(make("summary", `Version ${version}`), list);
  box.replaceChildren(details);

  const newest = known[0];
  const article = document.querySelector("article.bd-article");
  if (newest.version === version || !article) return;
  const notice = make("aside", `This is version ${version}, an older edition. The newest is version ${newest.version}: `, {
    className: "edition-notice",
    ariaLabel: "Older edition",
  });
  notice.append(make("a", "this page there", { href: there(newest, page) + location.hash }), ", ");
  notice.append(make("a", "what changed", { href: there(newest, changes) }), ".");
  article.prepend(notice);
})();
