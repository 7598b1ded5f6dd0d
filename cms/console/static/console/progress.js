// Renews the progress of an import every two seconds; when it has ended, the page shows its results.
const PAUSE = 2000;

async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const progress = page.querySelector("[data-progress]");
    if (!progress) {
      location.reload();
      return;
    }
    document.querySelector("[data-progress]").replaceChildren(...progress.childNodes);
  } catch {
    // The server may be restarting: the next look tells.
  }
  setTimeout(renew, PAUSE);
}

setTimeout(renew, PAUSE);
