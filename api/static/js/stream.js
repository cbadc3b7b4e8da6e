// One live stream with its own reconnecting. It shows nothing: the page is told "live" or "lost" and draws it.

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;

/** Follow `url`; `handlers` maps event names to functions of the parsed value, `onState` hears "live" or "lost". */
export function follow(url, handlers, onState) {
  let pause = FIRST_PAUSE_MS;

  function open() {
    const source = new EventSource(url);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        pause = FIRST_PAUSE_MS;
        onState("live");
        handle(JSON.parse(event.data));
      });
    }
    // The browser retries a cut line by itself, but gives up for good on any answer that is not a stream (a restart
    // behind a proxy, an expired session); closing and opening anew treats both the same way.
    source.addEventListener("error", () => {
      source.close();
      onState("lost");
      leaveIfSignedOut();
      setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  // A page taken back out of the browser's memory has a closed stream and an old picture.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  open();
}

// A stream does not say why it was refused. A session that is over has the page itself sent to the sign-in page.
async function leaveIfSignedOut() {
  try {
    const page = await fetch(location.href, { redirect: "manual" });
    if (page.type === "opaqueredirect") location.reload();
  } catch {
    // No answer at all: the line is down, and the stream goes on trying.
  }
}
