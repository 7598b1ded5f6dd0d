// "Tick all on this page": shown only where this script runs; a second press takes the ticks away again. The list comes anew with every filter.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tick-all]");
  if (!button) return;
  const boxes = [...button.form.querySelectorAll('input[type=checkbox][name="id"], input[type=checkbox][name="word"]')];
  const all = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !all;
});
const show = () => document.querySelectorAll("[data-tick-all][hidden]").forEach((button) => { button.hidden = false; });
new MutationObserver(show).observe(document.body, { childList: true, subtree: true });
show();
