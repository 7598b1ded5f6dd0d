// Copies the page's address, and opens the device's own sharing where there is one. Without this, links and a field with the address do.
(() => {
  "use strict";
  const copy = async (field) => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // No permission, or no clipboard on an address without TLS.
      field.closest("[data-share-address]").hidden = false;
      field.select();
      return document.execCommand("copy");
    }
    return true;
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    const words = button.querySelector("span");
    button.parentElement.hidden = false;
    field.closest("[data-share-address]").hidden = true;
    const usual = words.textContent;
    button.addEventListener("click", async () => {
      if (!(await copy(field))) return;
      words.textContent = button.dataset.done;
      setTimeout(() => (words.textContent = usual), 4000);
    });
  }
  for (const button of document.querySelectorAll("[data-share]")) {
    if (!navigator.share) continue;
    button.parentElement.hidden = false;
    button.addEventListener("click", () => navigator.share({ title: button.dataset.title, url: button.dataset.url }).catch(() => {}));
  }
})();
