"use strict";

// Keys, revealing, copying. Everything here has a way without scripts too.

const QUIET_AFTER_SWAP_MS = 500;
let swappedAt = 0;
let busy = false;

const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

// On keyboards of other scripts the same place on the keyboard counts.
function keyOf(event) {
  if (event.key.length === 1 && event.key.charCodeAt(0) > 127 && event.code.startsWith("Key")) {
    return event.code.slice(3).toLowerCase();
  }
  return event.key;
}

function isTyping(target) {
  return target instanceof Element && target.closest("textarea, select, input:not([type=checkbox])") !== null;
}

function moveInList(step) {
  const rows = all("[data-row]");
  if (!rows.length) return;
  const index = rows.indexOf(document.activeElement);
  const next = rows[index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + step))];
  next.focus();
  next.closest(".row, tr").scrollIntoView({ block: "nearest" });
}

function move(step) {
  if ($("[data-item]")) {
    const link = $(step > 0 ? ".steps [rel=next]" : ".steps [rel=prev]");
    if (link) link.click();
  } else {
    moveInList(step);
  }
}

function search(event) {
  const field = $("#q");
  if (field) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if ($("[data-search]")) {
    sessionStorage.setItem("focus-search", "1");
    $("[data-search]").click();
  }
}

function press(key, event) {
  const control = $(`:is(#main, #places) [data-key="${CSS.escape(key)}"]`);
  if (!control) return;
  const tooSoon = busy || performance.now() - swappedAt < QUIET_AFTER_SWAP_MS;
  if (control.hasAttribute("data-decide") && tooSoon) return;
  event.preventDefault();
  control.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  const help = $("#help");
  if (help && help.open) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = keyOf(event);
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "/") search(event);
  else if (key === "?" && help) help.showModal();
  else if (key.length === 1) press(key, event);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  if (event.target.matches("dialog")) event.target.close();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    field.parentElement.querySelector("[data-copied]").hidden = false;
  } catch {
    // Without the right to the clipboard the selected text can still be copied by hand.
  }
}

function settle() {
  const fold = $("[data-fold]");
  if (fold) fold.open = window.matchMedia("(min-width: 60rem)").matches;
  const copied = $("[data-copy]");
  if (copied) copy(copied);
  const asked = $("[data-autofocus]");
  if (asked) asked.focus();
  if ($("#q") && sessionStorage.getItem("focus-search")) {
    sessionStorage.removeItem("focus-search");
    $("#q").focus();
  }
}

document.addEventListener("htmx:beforeRequest", () => { busy = true; });
document.addEventListener("htmx:afterRequest", () => { busy = false; });
document.addEventListener("htmx:afterSettle", (event) => {
  settle();
  if (event.detail.target && event.detail.target.id === "main") {
    swappedAt = performance.now();
    if (document.activeElement === document.body) ($("#main h1[tabindex]") || $("#main")).focus({ preventScroll: true });
  }
});
document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.classList.add("js");
  settle();
});
