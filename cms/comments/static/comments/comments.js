// Forms that open under a comment: the focus goes into them, and back to their link when "Cancel" closes them.
// Without this, link and "Cancel" lead to pages of their own.
(() => {
  "use strict";
  const openers = new WeakMap();
  document.addEventListener("click", (event) => {
    const cancel = event.target.closest?.(".comment-act [data-close]");
    if (!cancel) return;
    event.preventDefault();
    const place = cancel.closest("[id^='act-']");
    place.replaceChildren();
    openers.get(place)?.focus();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target, requestConfig } = event.detail;
    // Who asked; `detail.elt` is what has just arrived.
    const asked = requestConfig?.elt;
    // From one page of comments to the next: on with the first one.
    if (asked?.matches(".pagination a")) setTimeout(() => document.querySelector("#comments-body article")?.focus());
    if (!target?.id.startsWith("act-")) return;
    if (asked?.matches("a")) openers.set(target, asked);
    const field = target.querySelector(".errors, [autofocus], textarea, input:not([type=hidden], [tabindex='-1'])");
    setTimeout(() => field?.focus());
  });
})();
