// "Cancel" closes a form that was opened in place and gives the focus back; without this it is a link to the conversation.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".comment-act [data-close]");
    if (!link) return;
    event.preventDefault();
    const place = link.closest("[id^='act-']");
    const opener = place.previousElementSibling?.querySelector("a");
    place.replaceChildren();
    opener?.focus();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const form = event.target.closest?.("[id^='act-']");
    if (form && !form.querySelector("[autofocus]")) form.querySelector("textarea, input:not([type=hidden], [tabindex='-1'])")?.focus();
  });
})();
