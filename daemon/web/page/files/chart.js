// Charts over time, drawn by uPlot. It is loaded when there is something to draw.
import { el } from "./dom.js";

let library = null;

function load() {
  library ??= (async () => {
    document.head.append(el("link", { rel: "stylesheet", href: "/page/uplot/uPlot.min.css" }));
    return (await import("/page/uplot/uPlot.esm.js")).default;
  })();
  return library;
}

const colours = ["--mark", "--cosine", "--words", "--date", "--link", "--terms"];
const dashes = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 3], [1, 2]];

/** lineClass and dashes tell lines apart, by colour and without. */
export const lineClass = (i) => "line-" + (i % colours.length);

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** timeOf is a time on an axis that is so many seconds long. */
const timeOf = (seconds, span) =>
  new Date(seconds * 1000).toLocaleString(undefined, span < 600 ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } : span < 2 * 86400 ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: "numeric" });

const axis = { stroke: () => style("--quiet"), grid: { stroke: () => style("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };

/**
 * chart draws lines into box: data is the times in seconds, and for each line its values, null where there is none. of has the number of lines, whether they are steps, the height,
 * the axis's values as texts and its least upper end. It returns what draws other data. What the lines say is told by whoever makes them, in text.
 */
export async function chart(box, data, of) {
  const Plot = await load();
  if (!box.isConnected) return () => {};
  const size = () => ({ width: Math.max(160, box.clientWidth), height: of.height });
  const u = new Plot({
    ...size(),
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 30, 0, 0], // half the last time
    scales: { y: { range: (_, low, high) => [of.from ?? 0, Math.max(of.least, (high ?? 0) * 1.1)] } },
    axes: [
      { ...axis, space: 90, size: 26, values: (u, splits) => splits.map((s) => timeOf(s, u.scales.x.max - u.scales.x.min)) },
      { ...axis, space: 28, size: 52, values: (_, splits) => splits.map(of.value) },
    ],
    series: [{}, ...Array.from({ length: of.lines }, (_, i) => ({
      stroke: () => style(colours[i % colours.length]), width: 2, dash: dashes[i % dashes.length],
      paths: of.steps ? Plot.paths.stepped({ align: 1 }) : undefined, points: { show: !of.steps && of.points, size: 5, fill: () => style(colours[i % colours.length]) },
    }))],
  }, data, box);
  // What is drawn says nothing to who can't see it: the text beside it does.
  u.root.setAttribute("aria-hidden", "true");
  const again = () => u.redraw(false);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", again);
  const watch = new ResizeObserver(() => {
    if (box.isConnected) u.setSize(size());
    else {
      watch.disconnect();
      dark.removeEventListener("change", again);
      u.destroy();
    }
  });
  watch.observe(box);
  return (next) => u.setData(next);
}
