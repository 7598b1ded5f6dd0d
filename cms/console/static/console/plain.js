/* Hints below each text of a page while it is written: asks the server a second after the last key, and only about texts that changed. */
(function () {
  "use strict";
  var script = document.currentScript, words = JSON.parse(script.dataset.words);
  var PAUSE = 1000, SHORTEST = 40;
  var known = new Map(), boxes = new Map(), timer = null, numbers = 0;

  function page() {
    var found = location.pathname.match(/\/pages\/(\d+)\/edit\//) || location.pathname.match(/\/pages\/add\/\w+\/\w+\/(\d+)\//);
    return found && Number(found[1]);
  }

  function editors() {
    var form = document.querySelector("form[data-edit-form], #page-edit-form");
    if (!form) { return []; }
    return Array.from(form.querySelectorAll(".Draftail-Editor, textarea:not([hidden]), input[type=text]")).filter(function (one) {
      return !one.closest(".Draftail-Editor .Draftail-Editor") && !(one.matches("textarea") && one.closest(".Draftail-Editor")) && one.offsetParent !== null;
    });
  }

  function text(editor) {
    if (!editor.matches(".Draftail-Editor")) { return editor.value; }
    return Array.from(editor.querySelectorAll("[data-block=true]")).map(function (block) { return block.innerText; }).join("\n");
  }

  function box(editor) {
    if (!boxes.has(editor)) {
      var made = document.createElement("div");
      made.className = "plain-words";
      made.setAttribute("role", "status");
      editor.insertAdjacentElement("afterend", made);
      boxes.set(editor, made);
    }
    return boxes.get(editor);
  }

  function show(editor, html) {
    if (!html && !boxes.has(editor)) { return; }
    box(editor).innerHTML = html ? "<p><b>" + words.label + "</b> <a href=\"" + script.dataset.guide + "\" target=\"_blank\" rel=\"noopener\">" + words.guide + "</a></p>" + html : "";
  }

  function ask() {
    var changed = {}, asked = {};
    editors().forEach(function (editor) {
      var own = text(editor);
      if (known.get(editor) === own) { return; }
      known.set(editor, own);
      if (own.trim().length < SHORTEST) { show(editor, ""); return; }
      numbers += 1;
      changed[numbers] = own;
      asked[numbers] = editor;
    });
    if (!Object.keys(changed).length || !page()) { return; }
    var token = document.querySelector("[name=csrfmiddlewaretoken]");
    fetch(script.dataset.url, {
      method: "POST", credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token ? token.value : "" },
      body: JSON.stringify({ page: page(), texts: changed })
    }).then(function (answer) { return answer.ok ? answer.json() : {}; }).then(function (found) {
      Object.keys(found).forEach(function (number) { if (asked[number] && known.get(asked[number]) === changed[number]) { show(asked[number], found[number]); } });
    }).catch(function () { /* Hints are a help: without them one writes on. */ });
  }

  function later() { clearTimeout(timer); timer = setTimeout(ask, PAUSE); }
  document.addEventListener("input", later, true);
  document.addEventListener("keyup", later, true);
  document.addEventListener("paste", later, true);
  window.addEventListener("load", later);
}());
