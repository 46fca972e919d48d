// How near cultures, periods or places are to one another: a heat map in the order of the dendrogram beside it.
import { el, fixed, number, problem, said, tell } from "./dom.js";
import { artifactPath, follow, get } from "./api.js";
import { facts, named, picture } from "./card.js";
import { networkOf } from "./network.js";
import { themeChoice } from "./themes.js";

const kinds = ["culture", "period", "place"];
const counts = [8, 12, 20];
const settle = 2000; // milliseconds in which changes are gathered
const every = 5000; // from look to look at the themes, of which no event tells
const labelLength = 80;

const measures = {
  contrast: "what sets them apart from all",
  mean: "mean likeness of pairs",
};

export async function showCultures(main, params, signal) {
  const kind = el("select", { id: "groups-kind", on: { change: () => go() } }, kinds.map((k) => el("option", { value: k, selected: k === params.get("kind") }, k)));
  const most = el("select", { id: "groups-most", on: { change: () => go() } }, counts.map((n) => el("option", { value: n, selected: String(n) === (params.get("k") ?? "12") }, "the largest " + n)));
  const theme = el("select", { id: "groups-theme", on: { change: () => go() } });
  const measure = el("select", { id: "groups-measure", on: { change: () => draw() } }, Object.entries(measures).map(([name, text]) => el("option", { value: name }, text)));
  const heading = el("h1", {});
  const state = el("p", { class: "facts" });
  const heat = el("div", { class: "heat" });
  const detail = el("section", { class: "heat-detail", "aria-live": "polite", "aria-label": "The chosen pair" });
  main.append(heading, state,
    el("div", { class: "filters" }, [[kind, "compared"], [theme, "alike in"], [most, "how many"], [measure, "coloured by"]].map(([select, text]) => el("span", { class: "field" }, el("label", { for: select.id }, text), select))),
    heat, detail,
    el("p", { class: "legend" }, "The contrast of two groups is the cosine of what sets each of them apart from the mean of all artifacts: 1 is the same, 0 nothing in common, below 0 opposite. Groups stand in the order of the dendrogram, by average linkage: where two branches meet, farther right is less alike. In a theme only those artifacts count that it applies to. Arrow keys go from cell to cell; a click shows the pairs that carry a cell."));
  let answer = null;
  let chosen = null;
  let asked = 0;
  const draw = () => {
    const focused = heat.contains(document.activeElement);
    heat.replaceChildren(...(answer ? pictured(answer, measure.value, chosen, (cell, key) => {
      chosen = key;
      draw();
      heat.querySelector("[tabindex='0']")?.focus();
      explain(detail, answer, cell, signal);
    }) : []));
    if (focused) heat.querySelector("[tabindex='0']")?.focus();
  };
  const load = async () => {
    const mine = ++asked;
    const query = { kind: kind.value, theme: theme.value, k: most.value };
    const title = kind.value[0].toUpperCase() + kind.value.slice(1) + "s";
    document.title = title + " · kilim";
    heading.replaceChildren(title, ...(theme.value ? [" in the theme ", said("bdi", short(theme.value))] : []));
    try {
      const found = await get("/api/v1/cultures", query, signal);
      if (mine !== asked) return; // something else is asked for
      answer = found;
      state.textContent = standing(answer);
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      if (error.status) answer = null; // a theme that is gone, or that is being learned; else what was shown stays until the daemon answers again
      state.replaceChildren(problem(error));
    }
    draw();
  };
  const go = async () => {
    // The address is another and the view stays, so that the focus does too.
    history.pushState(null, "", "#/cultures?" + new URLSearchParams({ kind: kind.value, k: most.value, ...(theme.value && { theme: theme.value }) }));
    chosen = null;
    detail.replaceChildren();
    await load();
    tell(heading.textContent + ": " + state.textContent);
  };
  const themes = await themeChoice(theme, params.get("theme") ?? "", "all that is known", signal);
  await load();
  let waiting = 0;
  const soon = () => {
    waiting ||= setTimeout(async () => {
      waiting = 0;
      const again = theme.value && (await themes());
      await load();
      if (again) soon();
    }, settle);
  };
  const looking = setInterval(async () => {
    if (!document.hidden && (await themes()) && theme.value) soon();
  }, every);
  signal.addEventListener("abort", () => [waiting, looking].forEach(clearTimeout));
  follow(({ change }) => change && soon(), signal, { others: 1 });
}

/** standing says in words what is compared. */
function standing(answer) {
  const shown = answer.tree.leaves.length;
  if (shown < 2) return "No two of a kind have two artifacts yet: there is nothing to compare.";
  return number(shown) + " of " + number(answer.all) + ", by " + (answer.theme ? "what the model of themes tells of the artifacts that have this one" : "the model of epoch " + answer.epoch) + "; the others have fewer artifacts, or one alone.";
}

const keyOf = (a, b) => JSON.stringify([a, b].sort());
const short = (label) => (label.length > labelLength ? label.slice(0, labelLength) + "…" : label);

/** pictured are the table of cells and the dendrogram beside it. */
function pictured(answer, measure, chosen, choose) {
  const { leaves, merges } = answer.tree;
  if (leaves.length < 2) return [];
  const groups = new Map(answer.groups.map((g) => [g.key, g]));
  const cells = new Map(answer.cells.map((c) => [keyOf(c.a, c.b), c]));
  const label = (key) => short(groups.get(key).label || key);
  const values = answer.cells.filter((c) => c.a !== c.b).map((c) => c[measure]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const strength = (v) => (measure === "contrast" ? v / Math.max(Math.abs(low), Math.abs(high), 1e-9) : high > low ? (v - low) / (high - low) : 1);
  const first = chosen && cells.has(chosen) ? chosen : keyOf(leaves[0], leaves[1]);
  let reachable = false; // one cell is in the order of the keyboard
  const cell = (a, b) => {
    const key = keyOf(a, b);
    const c = cells.get(key);
    const share = a === b && measure === "contrast" ? 0 : strength(c[measure]);
    const text = a === b && measure === "contrast" ? "·" : c[measure].toFixed(2).replace(/^-(?=.*[1-9])/, "−").replace(/^-/, "");
    const tab = key === first && !reachable;
    reachable ||= tab;
    const button = el("button", { class: share < 0 ? "cold" : "warm", tabindex: tab ? "0" : "-1", "aria-pressed": String(key === chosen), "aria-label": label(a) + " and " + label(b) + ": " + text, on: { click: () => choose(c, key) } }, text);
    button.style.setProperty("--share", (Math.min(1, Math.abs(share)) ** 0.75).toFixed(3));
    return el("td", {}, button);
  };
  const table = el("table", { on: { keydown: arrows } },
    el("thead", {}, el("tr", {}, el("td", {}), leaves.map((key) => el("th", { scope: "col", title: label(key) }, said("bdi", label(key)))))),
    el("tbody", {}, leaves.map((a) => el("tr", {}, el("th", { scope: "row", title: label(a) }, said("bdi", label(a)), el("span", { class: "count" }, number(groups.get(a).artifacts))), leaves.map((b) => cell(a, b))))));
  return [table, dendrogram(leaves.length, merges)];
}

const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function arrows(e) {
  const way = ways[e.key];
  const td = e.target.closest("td");
  if (!way || !td) return;
  e.preventDefault();
  const rows = [...td.closest("tbody").rows];
  const row = rows[rows.indexOf(td.parentElement) + way[0]];
  const next = row?.cells[td.cellIndex + way[1]]?.querySelector("button");
  if (!next) return;
  e.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

const width = 160; // of the dendrogram, in its own units; a row is 10 high

function dendrogram(n, merges) {
  const most = Math.max(...merges.map((m) => m.height), 1e-9);
  const at = Array.from({ length: n }, (_, i) => [0, 10 * i + 5]);
  const lines = merges.map((m) => {
    const [[x, y], [u, v]] = [at[m.a], at[m.b]];
    const meet = 2 + ((width - 6) * Math.max(0, m.height)) / most;
    at.push([meet, (y + v) / 2]);
    return el("polyline", { points: `${x},${y} ${meet},${y} ${meet},${v} ${u},${v}` });
  });
  const tree = el("svg", { class: "tree", viewBox: `0 0 ${width} ${10 * n}`, preserveAspectRatio: "none", role: "img", "aria-label": "Dendrogram of the rows" }, lines);
  tree.style.setProperty("--rows", n);
  return tree;
}

/** explain tells what a cell is made of, and the pairs that carry it. */
async function explain(detail, answer, c, signal) {
  const groups = new Map(answer.groups.map((g) => [g.key, g]));
  const [a, b] = [groups.get(c.a), groups.get(c.b)];
  const name = (g) => [said("bdi", short(g.label || g.key)), " (" + number(g.artifacts) + ")"];
  const linked = (g) => (answer.kind === "place" ? name(g) : el("a", { href: "#/search?" + new URLSearchParams({ [answer.kind]: g.label }) }, name(g)));
  const pairs = el("ol", {});
  detail.replaceChildren(
    el("h2", {}, linked(a), c.a === c.b ? " within itself" : [" and ", linked(b)]),
    el("p", {}, c.a === c.b ? null : "Contrast " + fixed(c.contrast) + ". ", "Mean likeness " + fixed(c.mean) + ", from " + fixed(c.low) + " to " + fixed(c.high) + " with 95 % confidence, over " + number(c.pairs) + (c.pairs === 1 ? " pair." : " pairs.")),
    answer.kind === "place" ? null : el("p", { class: "facts" }, "What is around: ", [...new Set([a, b])].map((g, i) => [i ? ", " : null, el("a", { href: networkOf({ [answer.kind]: g.label }) }, "the network of ", said("bdi", short(g.label)))])),
    el("h2", {}, "The pairs that carry it"), pairs);
  if (!c.nearest.length) pairs.append(el("li", { class: "none" }, "There is none."));
  try {
    const cards = new Map(await Promise.all([...new Set(c.nearest.flatMap((p) => [p.a, p.b]))].map(async (id) => [id, await get(artifactPath(id) + "/card", {}, signal).catch(() => null)])));
    if (signal.aborted) return;
    pairs.append(...c.nearest.map((p) => el("li", {},
      [p.a, p.b].map((id) => el("div", { class: "side" }, picture(cards.get(id), id), el("div", { class: "what" }, named(cards.get(id), id), facts(cards.get(id))))),
      el("span", { class: "facts" }, fixed(p.cosine)))));
  } catch (error) {
    if (!signal.aborted) detail.append(problem(error));
  }
}
