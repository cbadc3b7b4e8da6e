// Try a pad: what the reader does goes to the demonstration; what the pad shows comes from its firmware.
// The page never lights a lamp by itself.

import { follow } from "./stream.js";
import { count, share, shareFine, mark, show } from "./numbers.js";

const words = JSON.parse(document.getElementById("words").textContent);
const bench = document.getElementById("bench");
const pad = document.querySelector(".pad");
const phase = document.getElementById("phase");
const timing = document.getElementById("timing");
const problem = document.getElementById("try-problem");
const linkState = document.getElementById("link-state");
const callButton = document.querySelector('[data-do="call"]');
const { desk, branch } = bench.dataset;
const buttons = new Map([...document.querySelectorAll("[data-button]")].map((node) => [node.dataset.button, node]));
const RATINGS = ["bad", "good", "exemplary"];
// A press by a screen reader or another program has no length of its own; a finger's is about this.
const CLICK_MS = 120;
const MEASURE_AT_MOST_MS = 15000;

let lamps = null;
let pressed = null; // {at, lampMs} of the press that is on its way into the figures
let counted = null; // votes of the branch when last told

// ---- doing

let line = Promise.resolve(); // one request after the other: a release must not overtake its press

function ask(action, button) {
  line = line.then(() => send(action, button));
  return line;
}

async function send(action, button) {
  const query = button ? `?button=${button}` : "";
  try {
    const answer = await fetch(`/v1/try/${encodeURIComponent(desk)}/${action}${query}`, { method: "POST" });
    if (answer.ok) return complain("");
    if (answer.status === 401) return location.reload(); // the session is over: the server shows the way in
    complain(answer.status === 409 ? words.refused : words.unreachable);
  } catch {
    complain(words.unreachable);
  }
}

function complain(text) {
  if (problem.textContent !== text) problem.textContent = text;
}

function press(button) {
  const node = buttons.get(button);
  if ("down" in node.dataset) return;
  node.dataset.down = "";
  if (lamps === "111") {
    pressed = { at: performance.now(), lampMs: null };
    timing.textContent = "";
  }
  ask("press", button);
}

function release(button) {
  const node = buttons.get(button);
  if (!("down" in node.dataset)) return;
  delete node.dataset.down;
  ask("release", button);
}

for (const [button, node] of buttons) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    press(button);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(end, () => release(button));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press(button);
  });
  node.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && release(button));
  node.addEventListener("blur", () => release(button));
  node.addEventListener("contextmenu", (event) => event.preventDefault());
  node.addEventListener("click", (event) => {
    if (event.detail !== 0) return; // a pointer's click has been a press and a release already
    press(button);
    setTimeout(() => release(button), CLICK_MS);
  });
}

const typing = (event) => event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey;
addEventListener("keydown", (event) => !typing(event) && !event.repeat && buttons.has(event.key) && press(event.key));
addEventListener("keyup", (event) => buttons.has(event.key) && release(event.key));
addEventListener("blur", () => buttons.forEach((_, button) => release(button)));

for (const node of document.querySelectorAll("[data-do]")) node.addEventListener("click", () => ask(node.dataset.do));
document.getElementById("desk").addEventListener("change", (event) => event.target.form.submit());

// ---- showing

function showLamps(all) {
  const mine = all.find((each) => each.desk === desk);
  if (!mine) return;
  lamps = mine.connected ? mine.lamps : null;
  pad.dataset.lamps = mine.lamps;
  pad.toggleAttribute("data-away", !mine.connected);
  RATINGS.forEach((_, n) => buttons.get(String(n + 1)).toggleAttribute("data-lit", mine.lamps[n] === "1"));
  const text = mine.connected ? words[mine.lamps] ?? words.other : words.away;
  if (phase.textContent !== text) phase.textContent = text;
  if (pressed && pressed.lampMs === null && ["100", "010", "001"].includes(mine.lamps)) {
    pressed.lampMs = Math.round(performance.now() - pressed.at);
    timing.textContent = words.timing_lamp.replace("%(lamp)s", count(pressed.lampMs));
  }
}

function showDesks(all) {
  const mine = all.find((each) => each.desk === desk);
  if (mine) callButton.textContent = mine.call_open ? words.next : words.call;
}

function showToday(today) {
  const mine = today.branches.find((each) => each.branch === branch);
  if (!mine) return;
  for (const rating of RATINGS) showFigure(rating, mine[rating] ?? 0, shareFine(mine[rating] ?? 0, mine.votes));
  showFigure("votes", mine.votes, share(mine.votes, mine.eligible_calls));
  if (counted !== null && mine.votes > counted) measured();
  counted = mine.votes;
}

function showFigure(name, n, part) {
  const node = document.querySelector(`[data-n="${name}"]`);
  show(node.querySelector("[data-count]"), count(n));
  node.querySelector("[data-share]").textContent = part;
}

function measured() {
  if (!pressed || pressed.lampMs === null) return;
  const figureMs = Math.round(performance.now() - pressed.at);
  if (figureMs < MEASURE_AT_MOST_MS) {
    timing.textContent = words.timing.replace("%(lamp)s", count(pressed.lampMs)).replace("%(figure)s", count(figureMs));
    timing.dataset.lampMs = pressed.lampMs;
    timing.dataset.figureMs = figureMs;
    mark(timing);
  }
  pressed = null;
}

function showLink(state) {
  if (linkState.dataset.state === state) return;
  linkState.dataset.state = state;
  linkState.querySelector("[data-words]").textContent = linkState.dataset[state];
  if (state === "lost") showAway();
}

function showAway() {
  showLamps([{ desk, lamps: "000", connected: false }]);
}

follow("/v1/live", {
  // The lamps follow at once if the demonstration answers; until then the pad is away.
  snapshot: (value) => { showDesks(value.desks); showToday(value.today); if (lamps === null) showAway(); },
  desks: (value) => showDesks(value.desks),
  today: showToday,
  lamps: (value) => showLamps(value.lamps),
}, showLink);
