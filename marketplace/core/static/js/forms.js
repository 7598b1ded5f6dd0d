// Comfort for forms. Every form works without this file.
(() => {
  "use strict";
  const text = (name) => document.body.dataset[name] || "";

  // One press, one request: a second submit of the same form is dropped until the first one has ended.
  // The server refuses doubles on its own; this spares people the message.
  // In the capture phase, so that htmx, which listens at the form itself, does not hear of the second submit either.
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.method !== "post" && !form.matches("[hx-post]")) return;
      if (form.dataset.sent) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      form.dataset.sent = "yes";
      // Not "disabled": the pressed button's own name and value have to travel with the form.
      for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
      // Somebody else said no to this submit: nothing was sent.
      setTimeout(() => event.defaultPrevented && !form.matches("[hx-post]") && release(form));
    },
    { capture: true },
  );
  const release = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (form) release(form);
  });
  // The browser's "back" brings the page as it was left, button greyed out and all.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

  // How many characters are left, for fields with a limit; spoken only near the end.
  const count = (field) => {
    const limit = field.maxLength;
    const left = limit - [...field.value.replace(/\r?\n/g, "\r\n")].length;
    const counter = field.nextElementSibling;
    const few = left <= Math.max(limit * 0.1, 10);
    counter.textContent = text("textLeft").replace("{n}", new Intl.NumberFormat(document.documentElement.lang).format(left));
    counter.classList.toggle("few", few);
    counter.setAttribute("aria-live", few ? "polite" : "off");
  };
  const addCounters = (root) => {
    for (const field of root.querySelectorAll("textarea[maxlength], input[data-count][maxlength]")) {
      if (field.nextElementSibling?.classList.contains("counter")) continue;
      const counter = document.createElement("span");
      counter.className = "counter";
      field.after(counter);
      field.addEventListener("input", () => count(field));
      count(field);
    }
  };
  // Fields that a change should send at once (the order of a list, a filter): data-submit-on-change on the form.
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-submit-on-change]");
    if (form && !form.matches("[hx-get]")) form.requestSubmit();
  });
  // A range says its value in words: <output for="…" data-words="up to {n} km">.
  document.addEventListener("input", (event) => {
    if (event.target.type !== "range") return;
    const output = document.querySelector(`output[for="${CSS.escape(event.target.id)}"]`);
    if (output) output.textContent = (output.dataset.words || "{n}").replace("{n}", event.target.value);
  });

  const start = (root) => {
    addCounters(root);
    root.querySelector?.(".errors[autofocus]")?.focus();
  };
  start(document);
  document.addEventListener("htmx:load", (event) => start(event.detail.elt));
})();
