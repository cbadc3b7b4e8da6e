// Draws every chart of the page from the Vega-Lite document next to it. The tables have the same numbers without it.

const bundle = document.querySelector("[data-vega]").dataset.vega;
const formats = JSON.parse(document.getElementById("formats").textContent);
await import(bundle);

async function draw(holder) {
  const spec = JSON.parse(holder.querySelector("script").textContent);
  const target = holder.querySelector("[data-chart]");
  target.textContent = "";
  await globalThis.vegaEmbed(target, spec, {
    renderer: "svg",
    actions: false,
    ast: true, // expressions are interpreted, not compiled: the pages allow no eval
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    formatLocale: formats,
  });
  holder.dataset.drawn = "true";
}

for (const holder of document.querySelectorAll("[data-figure]")) await draw(holder);
