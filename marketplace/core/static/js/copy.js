// A button that copies a text: <button type="button" hidden data-copy="ID" data-copied="Copied" data-failed="Copy it by hand">. Without
// this script the text is there to be marked.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    button.hidden = false;
    const say = (words) => {
      button.textContent = words;
      button.setAttribute("aria-live", "polite");
    };
    const mark = () => {
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      say(button.dataset.failed);
    };
    button.addEventListener("click", () => {
      // Not there on pages without https.
      if (!navigator.clipboard) return mark();
      navigator.clipboard.writeText(text.textContent.trim()).then(() => say(button.dataset.copied), mark);
    });
  }
})();
