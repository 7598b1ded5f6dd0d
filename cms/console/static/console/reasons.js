// A chosen ready-made reason goes into the text box, where it can be edited. Without this script the server takes the
// chosen one as it stands.
for (const group of document.querySelectorAll("[data-ready-reasons]")) {
  const texts = JSON.parse(document.getElementById(group.dataset.readyReasons).textContent);
  const select = group.querySelector("select");
  const box = group.querySelector("textarea");
  select.addEventListener("change", () => {
    const text = texts[select.value];
    if (!text) return;
    box.value = box.value.trim() ? `${box.value.trim()}\n\n${text}` : text;
    select.value = "";
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  });
}
