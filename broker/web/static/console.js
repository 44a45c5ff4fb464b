// What a page cannot do by HTML alone: the live line, the first word of a new incident, and placing devices by a click.
"use strict";

const MOST_CAPTIONS = 200; // older ones are in the history; a page that grows for a whole shift would slow down

function liveCaptions() {
  const list = document.getElementById("captions");
  const line = document.getElementById("line");
  const pause = document.getElementById("pause");
  if (!list || !list.dataset.stream) return;
  const held = [];
  let paused = false;

  function show(html) {
    const box = document.createElement("template");
    box.innerHTML = html.trim();
    const item = box.content.firstElementChild;
    if (!item || document.getElementById(item.id)) return;
    list.prepend(item);
    document.getElementById("no-captions").classList.add("hidden");
    while (list.children.length > MOST_CAPTIONS) list.lastElementChild.remove();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? pause.dataset.goOn : pause.dataset.pause;
    while (!paused && held.length) show(held.shift());
  });

  const source = new EventSource(list.dataset.stream);
  source.addEventListener("open", () => {
    line.textContent = line.dataset.connected;
    line.classList.add("on");
  });
  source.addEventListener("error", () => {
    line.textContent = line.dataset.lost;
    line.classList.remove("on");
    // A closed line means that the login is over: the page then leads to the login.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
  source.addEventListener("caption", (event) => {
    if (!paused) show(event.data);
    else if (held.push(event.data) > MOST_CAPTIONS) held.shift();
  });
  source.addEventListener("incidents", (event) => redraw(event.data));
}

function numbers(box) {
  return new Set([...box.querySelectorAll("[data-number]")].map((one) => one.dataset.number));
}

function redraw(html) {
  const box = document.getElementById("waiting");
  const before = numbers(box);
  const focus = document.activeElement && box.contains(document.activeElement) ? document.activeElement : null;
  const kept = focus && focus.closest("[data-number]") ? focus.closest("[data-number]").id : null;
  box.innerHTML = html;
  if (window.htmx) htmx.process(box);
  if (kept) (document.querySelector(`#${kept} button, #${kept} a`) || box).focus();
  for (const card of box.querySelectorAll("[data-number]")) {
    if (before.has(card.dataset.number)) continue;
    const words = box.dataset.announce.replace("{danger}", card.dataset.danger).replace("{place}", card.dataset.place);
    document.getElementById("announce").textContent = words;
  }
  for (const badge of document.querySelectorAll(".pages .badge")) badge.textContent = box.querySelectorAll("[data-number]").length;
}

function placeByClick() {
  for (const plan of document.querySelectorAll("svg[data-plan]")) {
    plan.addEventListener("click", (event) => {
      const form = [...document.querySelectorAll(`form.spot[data-site="${plan.dataset.plan}"]`)].find((one) => one.matches(":focus-within, .chosen"));
      if (!form || !form.closest("details").open) return;
      event.preventDefault();
      const frame = plan.getBoundingClientRect();
      form.elements.x.value = Math.min(100, Math.max(0, ((event.clientX - frame.left) / frame.width) * 100)).toFixed(1);
      form.elements.y.value = Math.min(100, Math.max(0, ((event.clientY - frame.top) / frame.height) * 100)).toFixed(1);
    });
  }
  for (const form of document.querySelectorAll("form.spot")) {
    form.addEventListener("focusin", () => {
      for (const other of document.querySelectorAll("form.spot.chosen")) other.classList.remove("chosen");
      form.classList.add("chosen");
    });
  }
}

function openMenuOnWideScreens() {
  const more = document.querySelector("details.more");
  if (!more) return;
  const wide = matchMedia("(min-width: 48.01rem)");
  const fit = () => { more.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !wide.matches) more.open = false; });
}

addEventListener("DOMContentLoaded", () => {
  liveCaptions();
  placeByClick();
  openMenuOnWideScreens();
});
