// In a search box inside a longer form, Enter searches; it must not send the form.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-no-enter]")) event.preventDefault();
  });
})();
