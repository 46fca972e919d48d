// How the daemon did in the last minutes: rate, lag, the oldest thing that is stale, and how late lists came.
import { el, number, problem } from "./dom.js";
import { get } from "./api.js";
import { chart } from "./chart.js";

const kept = 150; // samples, of one in two seconds

const seconds = (v) => (v < 10 ? v.toFixed(1) : number(Math.round(v))) + " s";
const count = (v) => number(Math.round(v));

const kinds = [
  { name: "Records a second", of: (s) => s.rate, value: (v) => (v < 10 ? v.toFixed(1) : count(v)), axis: (v) => number(v), least: 1 },
  { name: "Records to read", of: (s) => s.lag, value: count, axis: (v) => number(v), least: 10 },
  { name: "Oldest that is stale", of: (s) => s.stale, value: seconds, axis: (v) => number(v) + " s", least: 1 },
  { name: "From record to lists", of: (s) => s.fresh, value: seconds, axis: (v) => number(v) + " s", least: 1, points: true },
];

/** rates are the charts; add gives them what the daemon says of itself now. */
export function rates(signal) {
  const samples = [];
  const charts = kinds.map((kind) => {
    const now = el("span", { class: "facts" });
    const drawn = el("div", { class: "plot" });
    return { kind, now, drawn, box: el("figure", {}, el("figcaption", {}, kind.name, " ", now), drawn), draw: null };
  });
  const box = el("section", { class: "rates", "aria-label": "The last minutes" }, charts.map((c) => c.box));
  const data = (kind) => [samples.map((s) => s.at), samples.map((s) => kind.of(s) ?? null)];
  const show = async (c) => {
    const all = samples.map(c.kind.of).filter((v) => typeof v === "number");
    c.now.textContent = all.length ? "now " + (typeof c.kind.of(samples.at(-1)) === "number" ? c.kind.value(c.kind.of(samples.at(-1))) : "none") + ", at most " + c.kind.value(Math.max(...all)) : "none yet";
    if (samples.length < 2) return;
    c.draw ??= chart(c.drawn, data(c.kind), { lines: 1, height: 110, least: c.kind.least, value: c.kind.axis, points: c.kind.points });
    (await c.draw)(data(c.kind));
  };
  let asked = Date.now();
  return {
    box,
    async add(status, rate) {
      const since = asked;
      asked = Date.now();
      let fresh;
      try {
        const { batches } = await get("/api/v1/slowest", { since: new Date(since).toISOString() }, signal);
        fresh = batches.length ? Math.max(...batches.map((b) => b.fresh_seconds)) : null;
      } catch {
        fresh = null; // the status tells what is wrong
      }
      if (signal.aborted) return;
      samples.push({ at: asked / 1000, rate, lag: status.assigned ? status.lag : null, stale: status.refresh_oldest_age_seconds, fresh });
      if (samples.length > kept) samples.shift();
      try {
        await Promise.all(charts.map(show));
      } catch (error) {
        if (!signal.aborted) box.replaceChildren(problem(error));
      }
    },
  };
}
