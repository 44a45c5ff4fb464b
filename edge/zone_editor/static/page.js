"use strict";

const TEXTS = {
  en: {
    title: "Zones and privacy masks",
    lead: "Click the corners of an area in order, then finish it. The picture stays on this machine.",
    kind: "The next area is",
    zone: "a zone, which sentences and rules name",
    mask: "a privacy mask, which nothing ever sees",
    name: "Name of the zone",
    finish: "Finish area (Enter)",
    undo: "Take back a corner (Backspace)",
    save: "Save",
    remove: "Remove",
    mask_n: (n) => `mask ${n}`,
    corners: (n) => `${n} corners`,
    few: "An area has three corners or more.",
    unnamed: "A name has a-z, 0-9 and inner hyphens: north-door",
    taken: "There is a zone of this name.",
    open: "Finish the area or take its corners back first.",
    saved: (where) => `Saved: ${where}. You may close this page.`,
    lost: "Not saved: the program no longer answers.",
    picture: "The camera's picture. Click to add corners.",
    other: "한국어",
  },
  ko: {
    title: "구역과 개인정보 가림",
    lead: "영역의 모서리를 순서대로 누르고 완료하십시오. 사진은 이 컴퓨터 밖으로 나가지 않습니다.",
    kind: "다음 영역",
    zone: "구역: 문장과 규칙에서 이름을 씀",
    mask: "개인정보 가림: 아무것도 보지 못함",
    name: "구역 이름",
    finish: "영역 완료 (Enter)",
    undo: "모서리 취소 (Backspace)",
    save: "저장",
    remove: "삭제",
    mask_n: (n) => `가림 ${n}`,
    corners: (n) => `모서리 ${n}개`,
    few: "영역에는 모서리가 세 개 이상 필요합니다.",
    unnamed: "이름은 a-z, 0-9, 가운데 하이픈만 씁니다: north-door",
    taken: "같은 이름의 구역이 있습니다.",
    open: "먼저 영역을 완료하거나 모서리를 취소하십시오.",
    saved: (where) => `저장됨: ${where}. 이 페이지를 닫아도 됩니다.`,
    lost: "저장되지 않음: 프로그램이 응답하지 않습니다.",
    picture: "카메라 화면. 눌러서 모서리를 추가합니다.",
    other: "English",
  },
};

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const find = (id) => document.getElementById(id);
const canvas = find("picture");
const still = new Image();
let language = navigator.language.startsWith("ko") ? "ko" : "en";
let areas = { zones: {}, masks: [] };
let corners = [];

const t = () => TEXTS[language];

function say(text, wrong = false) {
  find("said").textContent = text;
  find("said").classList.toggle("wrong", wrong);
}

function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t()[element.dataset.text];
  find("language").textContent = t().other;
  canvas.setAttribute("aria-label", t().picture);
  list();
}

function all() {
  const zones = Object.entries(areas.zones).map(([name, area]) => ({ name, area, remove: () => delete areas.zones[name] }));
  const masks = areas.masks.map((area, n) => ({ name: t().mask_n(n + 1), area, mask: true, remove: () => areas.masks.splice(n, 1) }));
  return [...zones, ...masks];
}

function list() {
  find("areas").replaceChildren(...all().map((one) => {
    const item = document.createElement("li");
    const text = document.createElement("span");
    const button = document.createElement("button");
    text.textContent = `${one.name}, ${t().corners(one.area.length)}`;
    button.type = "button";
    button.textContent = t().remove;
    button.setAttribute("aria-label", `${t().remove}: ${one.name}`);
    button.addEventListener("click", () => { one.remove(); list(); draw(); });
    item.append(text, button);
    return item;
  }));
}

function draw() {
  const pen = canvas.getContext("2d");
  pen.drawImage(still, 0, 0, canvas.width, canvas.height);
  pen.lineWidth = Math.max(2, canvas.width / 400);
  pen.font = `${Math.max(14, canvas.width / 50)}px sans-serif`;
  for (const one of all()) {
    outline(pen, one.area, true);
    pen.fillStyle = one.mask ? "#000" : "rgba(11, 95, 255, .3)";
    pen.fill();
    pen.strokeStyle = one.mask ? "#fff" : "#0b5fff";
    pen.stroke();
    const [x, y] = at(one.area[0]);
    pen.strokeStyle = "#000";
    pen.strokeText(one.name, x + 6, y + canvas.width / 45);
    pen.fillStyle = "#fff";
    pen.fillText(one.name, x + 6, y + canvas.width / 45);
  }
  if (!corners.length) return;
  outline(pen, corners, false);
  pen.strokeStyle = "#ffb000";
  pen.stroke();
  pen.fillStyle = "#ffb000";
  for (const corner of corners) {
    const [x, y] = at(corner);
    pen.beginPath();
    pen.arc(x, y, pen.lineWidth * 2, 0, 7);
    pen.fill();
  }
}

const at = ([x, y]) => [x * canvas.width, y * canvas.height];

function outline(pen, area, closed) {
  pen.beginPath();
  area.forEach((corner, n) => (n ? pen.lineTo(...at(corner)) : pen.moveTo(...at(corner))));
  if (closed) pen.closePath();
}

function add(event) {
  const box = canvas.getBoundingClientRect();
  const share = (value, size) => Math.round(Math.min(1, Math.max(0, value / size)) * 1000) / 1000;
  corners.push([share(event.clientX - box.left - canvas.clientLeft, canvas.clientWidth), share(event.clientY - box.top - canvas.clientTop, canvas.clientHeight)]);
  canvas.focus();
  say("");
  draw();
}

function finish() {
  if (corners.length < 3) return say(t().few, true);
  if (document.querySelector("[name=kind]:checked").value === "mask") {
    areas.masks.push(corners);
  } else {
    const name = find("name").value.trim();
    if (!NAME.test(name)) { find("name").focus(); return say(t().unnamed, true); }
    if (Object.hasOwn(areas.zones, name)) { find("name").focus(); return say(t().taken, true); }
    areas.zones[name] = corners;
    find("name").value = "";
  }
  corners = [];
  say("");
  list();
  draw();
}

function undo() {
  corners.pop();
  draw();
}

async function save() {
  if (corners.length) return say(t().open, true);
  try {
    const answer = await fetch("areas.json", { method: "POST", body: JSON.stringify(areas) });
    const told = await answer.json();
    if (told.problem) return say(told.problem, true);
    find("yaml").textContent = told.yaml;
    say(t().saved(told.saved));
  } catch {
    say(t().lost, true);
  }
}

function typed(event) {
  if (event.target.tagName === "INPUT" && event.key !== "Enter") return;
  if (event.target.tagName === "BUTTON") return;
  if (event.key === "Enter") finish();
  else if (event.key === "Backspace") undo();
  else return;
  event.preventDefault();
}

canvas.addEventListener("pointerdown", add);
document.addEventListener("keydown", typed);
find("finish").addEventListener("click", finish);
find("undo").addEventListener("click", undo);
find("save").addEventListener("click", save);
find("language").addEventListener("click", () => { language = language === "en" ? "ko" : "en"; write(); draw(); });

async function begin() {
  still.src = "still.jpg";
  const [told] = await Promise.all([fetch("areas.json"), still.decode()]);
  areas = await told.json();
  canvas.width = still.naturalWidth;
  canvas.height = still.naturalHeight;
  write();
  draw();
  document.body.dataset.ready = "true";
}

begin();
