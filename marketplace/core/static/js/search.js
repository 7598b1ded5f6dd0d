// Comfort for the search page. Everything works without this file.
(() => {
  "use strict";
  const keyOf = (details) => `${details.className}|${details.closest(".facet")?.querySelector("summary")?.textContent.trim()}`;
  let opened = new Map();

  // The groups of filters come anew with every answer: those that the person opened or closed stay as they were.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id !== "facets-content") return;
    opened = new Map([...event.detail.target.querySelectorAll("details")].map((details) => [keyOf(details), details.open]));
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id !== "facets-content") return;
    for (const details of event.detail.target.querySelectorAll("details")) {
      if (opened.has(keyOf(details))) details.open = opened.get(keyOf(details));
    }
  });

  // What had the focus is gone (a chip that took itself away, a page's link): go on from the number of results.
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement === document.body) document.getElementById("result-count")?.focus({ preventScroll: true });
  });

  // "Show results" in the drawer: the answer is there already, so that closing is all there is to do.
  document.addEventListener("submit", (event) => {
    const drawer = document.getElementById("facets");
    if (event.target.id === "search-form" && drawer?.matches(":popover-open")) drawer.hidePopover();
  });
})();
