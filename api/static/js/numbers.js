// Numbers as the page's language writes them, and marking the ones that have just changed.

const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language, { useGrouping: "always" }); // as the server: 1 234 in every language
const rounding = { style: "percent", roundingMode: "halfEven" }; // as the server rounds: 62.5 % is 62 % on every page
const percent = new Intl.NumberFormat(language, { ...rounding, maximumFractionDigits: 0 });
const percentFine = new Intl.NumberFormat(language, { ...rounding, minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (n) => whole.format(n);
export const share = (part, of) => (of ? percent.format(part / of) : "–");
export const shareFine = (part, of) => (of ? percentFine.format(part / of) : "–");

/** Put `text` into `node`; a difference is marked for a moment. */
export function show(node, text) {
  if (!node || node.textContent === text) return;
  node.textContent = text;
  mark(node);
}

export function mark(node) {
  node.classList.remove("changed");
  void node.offsetWidth; // restarts the animation
  node.classList.add("changed");
}
