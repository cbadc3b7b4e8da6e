// Keeps the marked parts of a page fresh by asking for the page anew. Whatever a person is filling in is left alone.

const SHORTEST_PAUSE_MS = 3000;
const LONGEST_PAUSE_MS = 60000;
const TIMES_THE_ANSWER = 20; // a large office's page takes longer to make, so it is asked for less often

let pauseMs = SHORTEST_PAUSE_MS;

async function refresh() {
  const begun = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // the session is over
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    pauseMs = Math.max(SHORTEST_PAUSE_MS, TIMES_THE_ANSWER * (performance.now() - begun));
  } catch {
    pauseMs *= 2; // the line is down
  }
  pauseMs = Math.min(pauseMs, LONGEST_PAUSE_MS);
}

function show(page) {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || isTheSame(part, fresh)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.matches("input, select")) continue;
    const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
    part.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    const name = focused?.dataset.testid;
    if (name) part.querySelector(`[data-testid="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  }
}

function isTheSame(part, fresh) {
  const now = part.cloneNode(true);
  for (const details of now.querySelectorAll("details")) details.toggleAttribute("open", false);
  const then = fresh.cloneNode(true);
  for (const details of then.querySelectorAll("details")) details.toggleAttribute("open", false);
  return now.innerHTML === then.innerHTML;
}

async function keepFresh() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (!document.hidden) await refresh();
  }
}

addEventListener("visibilitychange", () => document.hidden || refresh());
keepFresh();
