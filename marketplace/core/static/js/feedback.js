// Questions before what cannot be undone, and word of a request that failed.
(() => {
  "use strict";
  const text = (name) => document.body.dataset[name] || "";

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // Asks in the page's own dialog; resolves to true or false.
  const ask = (question) =>
    new Promise((resolve) => {
      const dialog = element(
        "dialog",
        { className: "dialog" },
        element(
          "form",
          { method: "dialog" },
          element("h2", { id: "ask-title", textContent: text("textAskTitle") }),
          element("p", { textContent: question }),
          element(
            "div",
            { className: "form-actions" },
            element("button", { className: "button danger sure", value: "yes", textContent: text("textAskYes") }),
            element("button", { className: "button quiet", value: "", textContent: text("textAskNo"), autofocus: true }),
          ),
        ),
      );
      dialog.setAttribute("aria-labelledby", "ask-title");
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      });
      document.body.append(dialog);
      dialog.showModal();
    });

  // <button data-confirm="…"> or <form data-confirm="…">: asked before anybody else hears of the submit.
  document.addEventListener(
    "submit",
    async (event) => {
      const { target: form, submitter } = event;
      const question = submitter?.dataset.confirm || form.dataset.confirm;
      if (!question) return;
      if (form.dataset.confirmed) {
        delete form.dataset.confirmed;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!(await ask(question))) return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter);
    },
    { capture: true },
  );
  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    ask(event.detail.question).then((yes) => yes && event.detail.issueRequest(true));
  });

  const failed = () => {
    const messages = document.getElementById("messages");
    if (!messages) return;
    const notice = element("li", { className: "notice error" }, element("span", { textContent: text("textFailed") }));
    notice.setAttribute("role", "alert");
    messages.replaceChildren(notice);
    notice.scrollIntoView({ block: "nearest" });
  };
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, failed);

  // A menu whose link was followed within the page closes.
  document.addEventListener("click", (event) => {
    const popover = event.target.closest?.("[popover] a") && event.target.closest("[popover]");
    if (popover?.matches(":popover-open")) popover.hidePopover();
  });
})();
