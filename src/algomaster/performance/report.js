// Draws the figures whose JSON stands in the page, in the ink of the page, and again when the page turns dark or light.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--soft").trim();
  const figures = [...document.querySelectorAll(".figure")];
  for (const place of figures) {
    const { data, layout } = JSON.parse(place.nextElementSibling.textContent);
    layout.font = { ...layout.font, color: ink() };
    Plotly.newPlot(place, data, layout, { responsive: true, displayModeBar: false });
  }
  dark.addEventListener("change", () => figures.forEach((place) => Plotly.relayout(place, { "font.color": ink() })));
})();
