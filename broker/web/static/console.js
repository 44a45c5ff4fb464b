// What a page cannot do by HTML alone: the live stream, the announcement of a new incident, and placing devices by a click.
"use strict";

const MOST_CAPTIONS = 200; // older ones are in the history; a page that grows for a whole shift would slow down

function liveCaptions() {
  const list = document.getElementById("captions");
  const line = document.getElementById("line");
  const pause = document.getElementById("pause");
  if (!list || !list.dataset.stream) return;
  const waiting = [];
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
    while (!paused && waiting.length) show(waiting.shift());
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
    else if (waiting.push(event.data) > MOST_CAPTIONS) waiting.shift();
  });
  source.addEventListener("incidents", (event) => redraw(event.data));
}

function cards(box) {
  return [...box.querySelectorAll("[data-number]")];
}

function isAlarm(card) {
  return card.classList.contains("severity-critical") && card.classList.contains("state-open");
}

// Two short tones for a new critical incident. Browsers allow it after the first click or key on the page.
const sound = {
  context: null,
  button: null,
  isBlocked: false,
  isOn: () => localStorage.getItem("sound") !== "off",
  start() {
    this.button = document.getElementById("sound");
    addEventListener("keydown", () => this.unlock(), { once: true });
    addEventListener("click", (event) => { if (event.target !== this.button) this.unlock(); }, { once: true });
    if (!this.button) return;
    this.button.addEventListener("click", async () => {
      const wasBlocked = this.isBlocked;
      if (!wasBlocked) localStorage.setItem("sound", this.isOn() ? "off" : "on");
      await this.unlock();
      this.play();
    });
    this.show();
  },
  show() {
    if (!this.button) return;
    const words = this.button.dataset;
    this.button.setAttribute("aria-pressed", String(this.isOn()));
    this.button.textContent = !this.isOn() ? words.off : this.isBlocked ? words.blocked : words.on;
  },
  async unlock() {
    this.context ??= new AudioContext();
    await this.context.resume();
    this.isBlocked = false;
    this.show();
  },
  play() {
    if (!this.isOn()) return;
    this.isBlocked = !this.context || this.context.state !== "running";
    this.show();
    if (this.isBlocked) return;
    [880, 660].forEach((hertz, number) => {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      const begin = this.context.currentTime + number * 0.22;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, begin);
      volume.gain.exponentialRampToValueAtTime(0.2, begin + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.2);
      tone.connect(volume).connect(this.context.destination);
      tone.start(begin);
      tone.stop(begin + 0.21);
    });
  },
};

// The number of unanswered dangers stands in the title, and a new critical one until someone looks at the page.
const badge = {
  title: "",
  news: "",
  show(box) {
    const open = box ? cards(box).filter((card) => card.classList.contains("state-open") && !card.closest(".notices")).length : 0;
    const words = this.news && document.hidden ? `⚠ ${this.news}` : this.title;
    document.title = open ? `(${open}) ${words}` : words;
  },
  start(box) {
    this.title = document.title;
    this.show(box);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.news = "";
      this.show(box);
    });
  },
};

function announce(box, before) {
  for (const card of cards(box)) {
    if (before.has(card.dataset.number)) continue;
    const words = box.dataset.announce.replace("{danger}", card.dataset.danger).replace("{place}", card.dataset.place);
    document.getElementById("announce").textContent = words;
    if (!isAlarm(card)) continue;
    badge.news = `${card.dataset.danger} · ${card.dataset.place}`;
    sound.play();
  }
  badge.show(box);
}

function redraw(html) {
  const box = document.getElementById("waiting");
  const before = new Set(cards(box).map((card) => card.dataset.number));
  const focus = document.activeElement && box.contains(document.activeElement) ? document.activeElement : null;
  const kept = focus && focus.closest("[data-number]") ? focus.closest("[data-number]").id : null;
  const isUnfolded = box.querySelector("#notices")?.open ?? false;
  box.innerHTML = html;
  if (box.querySelector("#notices")) box.querySelector("#notices").open = isUnfolded;
  if (window.htmx) htmx.process(box);
  if (kept) (document.querySelector(`#${kept} button, #${kept} a`) || box).focus();
  announce(box, before);
  for (const one of document.querySelectorAll(".pages .badge")) one.textContent = cards(box).length;
}

function watchIncidents() {
  const box = document.getElementById("waiting") || document.getElementById("list");
  if (!box || !box.dataset.announce) return;
  sound.start();
  badge.start(box);
  if (box.id !== "list") return;
  let before = new Set();
  box.addEventListener("htmx:beforeSwap", () => { before = new Set(cards(box).map((card) => card.dataset.number)); });
  box.addEventListener("htmx:afterSwap", () => announce(box, before));
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
  watchIncidents();
  liveCaptions();
  placeByClick();
  openMenuOnWideScreens();
});
