// The Live page: keeps the server's picture up to date from the stream. It knows no ratings of single desks.

import { follow } from "./stream.js";
import { count, share, show } from "./numbers.js";

const words = JSON.parse(document.getElementById("words").textContent);
const faultWords = JSON.parse(document.getElementById("fault-words").textContent);
const faultsLine = document.getElementById("faults");
const faulty = new Map(); // desk -> what is wrong with its pad; only desks whose pad is out of order
const linkState = document.getElementById("link-state");
const day = document.querySelector("[data-day]").dataset.day;
const RELOAD_NOT_BEFORE_MS = 5000;

function showLink(state) {
  if (linkState.dataset.state === state) return;
  linkState.dataset.state = state;
  linkState.querySelector("[data-words]").textContent = linkState.dataset[state];
  document.body.classList.toggle("stale", state === "lost");
}

function showDesks(desks) {
  for (const desk of desks) {
    const node = document.querySelector(`[data-desk="${CSS.escape(desk.desk)}"]`);
    if (!node) return startAfresh();
    node.dataset.state = desk.state;
    node.querySelector("[data-words]").textContent = words[desk.state];
    if (desk.faults.length) faulty.set(desk.desk, desk);
    else faulty.delete(desk.desk);
  }
  showFaults();
}

function showFaults() {
  const links = [...faulty.values()].map((desk) => {
    const link = document.createElement("a");
    const branch = document.getElementById(`branch-${desk.branch}`).textContent;
    link.href = `/devices/${desk.desk}`;
    link.textContent = `${branch}, ${desk.label}: ${faultWords[desk.faults[0]]}`;
    return link;
  });
  faultsLine.hidden = links.length === 0;
  faultsLine.querySelector("[data-list]").replaceChildren(...links);
}

function showToday(today) {
  if (today.centre.day !== day) return startAfresh();
  for (const unit of [today.centre, ...today.branches]) {
    const node = document.querySelector(`[data-branch-today="${CSS.escape(unit.branch ?? "")}"]`);
    if (!node) return startAfresh();
    show(node.querySelector('[data-n="calls"]'), count(unit.calls));
    show(node.querySelector('[data-n="votes"]'), count(unit.votes));
    show(node.querySelector('[data-n="response_rate"]'), share(unit.votes, unit.eligible_calls));
  }
}

// The register or the day has changed: only the server can draw that.
function startAfresh() {
  if (performance.now() > RELOAD_NOT_BEFORE_MS) location.reload();
}

follow("/v1/live", {
  snapshot: (value) => { showDesks(value.desks); showToday(value.today); },
  desks: (value) => showDesks(value.desks),
  today: showToday,
}, showLink);
