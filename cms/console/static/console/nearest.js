// Fills the cells for which the engine has to be asked, one after another, and those that a filter or another page brings.
(() => {
  let busy = false;
  const next = async () => {
    const cell = busy ? null : document.querySelector("[data-nearest]");
    if (!cell) return;
    busy = true;
    const address = cell.dataset.nearest;
    cell.removeAttribute("data-nearest");
    try {
      const answer = await fetch(address, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (answer.ok && !answer.redirected) cell.innerHTML = await answer.text();
    } catch {
      // The link stays: the page behind it says what is wrong.
    }
    busy = false;
    next();
  };
  new MutationObserver(next).observe(document.body, { childList: true, subtree: true });
  next();
})();
