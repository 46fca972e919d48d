// The network around an artifact or a culture, period or type: what is like it, and what these have in common.
import { addressOf, el, fixed, number, problem, said, tell } from "./dom.js";
import { artifactPath, follow, get } from "./api.js";
import { facts, picture, titleOf } from "./card.js";
import { arrange } from "./springs.js";

const around = 14; // artifacts around the one that it is about
const shared = 22; // terms that several of them have
// The ratio of width to height, and the room that a node takes of them, as network.css has them: on a narrow screen the network is high.
const wide = { ratio: 1.7, room: [0.135, 0.075] };
const high = { ratio: 0.28, room: [0.43, 0.056] };
const narrow = matchMedia("(max-width: 46rem)");
const settle = 3000; // how long changes are gathered before it is shown anew
const groups = ["culture", "period", "type"];
const hues = { culture: 2, period: 4, type: 3, place: 8, material: 6, creator: 5, style: 7 };

export const networkOf = (params) => "#/network?" + new URLSearchParams(params);

export async function showNetwork(main, params, signal) {
  const heading = el("h1", {}, "Network");
  const state = el("p", { class: "facts" }, "asking");
  const net = el("div", { class: "net", role: "group", "aria-label": "Network", "aria-describedby": "net-help" });
  const panel = el("section", { class: "net-panel", "aria-live": "polite", "aria-label": "The chosen node" });
  const box = el("div", { class: "net-box" }, net);
  main.append(heading, state, box, panel,
    el("p", { class: "legend" }, "A line between artifacts: one has the other among its first " + around + ". A dashed line: an artifact has what it leads to. Of what at least two of them have, the " + shared + " are shown that say most: many here and few elsewhere have it."),
    el("p", { class: "legend", id: "net-help" }, "Keys: arrows go from node to node, Enter opens it; below the network is what the chosen node is joined to."));
  document.title = "Network · kilim";
  let first = true;
  let again = () => {}; // draws what is shown for the screen as it is now
  narrow.addEventListener("change", () => again(), { signal });
  let ids = new Set(); // of the artifacts shown
  let asked = 0;
  const load = async () => {
    const mine = ++asked;
    const graph = await gather(params, signal);
    if (mine !== asked) return; // a later one has changed it
    const centre = graph.nodes[0];
    document.title = "Network of " + name(centre) + " · kilim";
    heading.replaceChildren("Network of ", said("bdi", name(centre), centre.card?.language));
    const artifacts = graph.nodes.filter((n) => n.kind === "artifact").length;
    const terms = graph.nodes.length - artifacts - (centre.kind === "artifact" ? 0 : 1);
    state.textContent = number(artifacts) + (artifacts === 1 ? " artifact" : " artifacts") + ", and " + number(terms) + (terms === 1 ? " term" : " terms") + " that at least two of them have";
    draw(net, panel, graph, first ? "" : net.querySelector("[tabindex='0']")?.dataset.key);
    if (first && box.scrollWidth > box.clientWidth) box.scrollLeft = net.offsetLeft - box.offsetLeft + net.querySelector(".centre").parentElement.offsetLeft - box.clientWidth / 2;
    first = false;
    again = () => draw(net, panel, graph, net.querySelector("[tabindex='0']")?.dataset.key);
    ids = new Set(graph.nodes.map((n) => n.id).filter(Boolean));
  };
  await load();
  let waiting = 0;
  signal.addEventListener("abort", () => clearTimeout(waiting));
  follow(({ change }) => {
    if (!ids.has(change?.id)) return;
    waiting ||= setTimeout(async () => {
      waiting = 0;
      try {
        await load();
        tell("The network has changed.");
      } catch (error) {
        if (!signal.aborted) state.replaceChildren(problem(error));
      }
    }, settle);
  }, signal);
}

const name = (node) => (node.kind === "artifact" ? titleOf(node.card, node.id) : node.label);

/** gather asks for what a network is made of: at most 1 + around artifacts and shared terms. */
async function gather(params, signal) {
  const kind = groups.find((g) => params.get(g));
  const view = (id) => get(artifactPath(id) + "/view", { k: around }, signal);
  const totalOf = (v) => v.lists.find((l) => l.name === "total")?.items ?? [];
  const nodes = [];
  const views = [];
  let ids;
  if (kind) {
    const { items } = await get("/api/v1/search", { [kind]: params.get(kind), k: around }, signal);
    nodes.push({ kind, key: termKey(kind, params.get(kind)), label: params.get(kind) });
    ids = items.map((c) => c.id);
  } else {
    const own = await view(params.get("id") ?? "");
    nodes.push({ kind: "artifact", key: "artifact " + own.card.id, id: own.card.id, card: own.card });
    views.push(own);
    ids = totalOf(own).map((i) => i.id);
  }
  // One that has just gone is left out.
  views.push(...(await Promise.all(ids.map((id) => view(id).catch(() => null)))).filter(Boolean));
  for (const v of views.slice(kind ? 0 : 1)) nodes.push({ kind: "artifact", key: "artifact " + v.card.id, id: v.card.id, card: v.card });
  const place = new Map(nodes.map((n, i) => [n.key, i]));
  const edges = new Map();
  const join = (a, b, score) => {
    const key = Math.min(a, b) + " " + Math.max(a, b);
    if (a !== b && !edges.has(key)) edges.set(key, { a: Math.min(a, b), b: Math.max(a, b), score });
  };
  for (const v of views) {
    for (const item of totalOf(v)) if (place.has("artifact " + item.id)) join(place.get("artifact " + v.card.id), place.get("artifact " + item.id), item.score);
  }
  for (const t of common(views, nodes[0].key)) {
    if (!place.has(t.key)) {
      place.set(t.key, nodes.length);
      nodes.push({ kind: t.kind, key: t.key, label: t.label, artifacts: t.artifacts });
    }
    for (const id of t.ids) join(place.get("artifact " + id), place.get(t.key), null);
  }
  return { nodes, edges: [...edges.values()] };
}

const termKey = (kind, label) => kind + " " + label.toLowerCase();

/** common are the terms that at least two of some artifacts have, those first that many here and few elsewhere have; what is always shown is before them. */
function common(views, always) {
  const terms = new Map();
  for (const v of views) {
    for (const f of v.fields) {
      for (const t of f.terms) {
        if (!t.artifacts) continue; // a date, or what nobody else can have
        const key = termKey(f.name, t.label);
        const term = terms.get(key) ?? { kind: f.name, key, label: t.label, artifacts: t.artifacts, ids: new Set() };
        terms.set(key, term);
        term.ids.add(v.card.id);
      }
    }
  }
  const says = (t) => t.ids.size / Math.sqrt(t.artifacts);
  const several = [...terms.values()].filter((t) => t.ids.size > 1 && t.key !== always).sort((a, b) => says(b) - says(a) || (a.key < b.key ? -1 : 1)).slice(0, shared);
  return [...[...terms.values()].filter((t) => t.key === always), ...several];
}

function draw(net, panel, graph, chosenBefore) {
  const { nodes, edges } = graph;
  const focused = net.contains(document.activeElement);
  const shape = narrow.matches ? high : wide;
  const at = arrange(nodes.length, edges.map((e) => [e.a, e.b, e.score === null ? 0.5 : 0.6 + e.score]), shape.ratio, shape.room);
  const lines = edges.map((e) => {
    const [[x, y], [u, v]] = [at[e.a], at[e.b]];
    return el("polyline", { points: `${100 * x},${100 * y} ${100 * u},${100 * v}`, class: e.score === null ? "has" : "like", "stroke-width": e.score === null ? 1 : (1 + 3 * Math.max(0, Math.min(1, e.score))).toFixed(2), "vector-effect": "non-scaling-stroke" });
  });
  const links = nodes.map((n, i) => {
    const here = i === 0 ? "centre " : "";
    const mark = n.kind === "artifact" ? picture(n.card, n.id) : el("span", { class: "dot hue-" + (hues[n.kind] ?? 11), "aria-hidden": "true" });
    const address = n.kind === "artifact" ? addressOf(n.id) : "#/search?" + new URLSearchParams(groups.includes(n.kind) ? { [n.kind]: n.label } : { q: n.label });
    return el("a", { href: address, class: here + (n.kind === "artifact" ? "artifact" : "term"), tabindex: "-1", title: name(n), "data-key": n.key },
      mark, el("span", { class: "label" }, n.kind === "artifact" ? null : el("span", { class: "kind" }, n.kind + " "), said("bdi", name(n), n.card?.language)));
  });
  const choose = (i) => {
    links.forEach((l, j) => {
      l.tabIndex = i === j ? 0 : -1;
      l.classList.toggle("joined", edges.some((e) => (e.a === i && e.b === j) || (e.b === i && e.a === j)));
      l.classList.toggle("chosen", i === j);
    });
    edges.forEach((e, j) => lines[j].classList.toggle("on", e.a === i || e.b === i));
    panel.replaceChildren(...told(graph, i));
  };
  links.forEach((l, i) => {
    l.addEventListener("focus", () => choose(i));
    l.addEventListener("pointerenter", () => choose(i));
    l.addEventListener("keydown", (e) => {
      const next = towards(e, i, at, shape.ratio);
      if (next < 0) return;
      choose(next);
      links[next].focus();
    });
  });
  net.replaceChildren(el("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, lines),
    el("ul", {}, links.map((l, i) => {
      const li = el("li", {}, l);
      li.style.left = 100 * at[i][0] + "%";
      li.style.top = 100 * at[i][1] + "%";
      return li;
    })));
  const chosen = Math.max(0, nodes.findIndex((n) => n.key === chosenBefore));
  choose(chosen);
  if (focused) links[chosen].focus();
}

const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** towards is the node that is nearest in the direction of an arrow key, -1 for another key and where there is none. */
function towards(e, from, at, ratio) {
  const way = ways[e.key];
  if (!way || e.ctrlKey || e.altKey || e.metaKey) return -1;
  e.preventDefault();
  let best = -1;
  let least = Infinity;
  at.forEach(([x, y], i) => {
    const [dx, dy] = [ratio * (x - at[from][0]), y - at[from][1]];
    const along = dx * way[0] + dy * way[1];
    const far = along + 2.5 * Math.abs(dx * way[1] + dy * way[0]);
    if (i !== from && along > 1e-6 && far < least) [best, least] = [i, far];
  });
  return best;
}

/** told says in words what a node is, and what it is joined to. */
function told(graph, i) {
  const node = graph.nodes[i];
  const joined = graph.edges.filter((e) => e.a === i || e.b === i).map((e) => ({ node: graph.nodes[e.a === i ? e.b : e.a], score: e.score }));
  const link = (n) => el("a", { href: n.kind === "artifact" ? networkOf({ id: n.id }) : networkOf({ [n.kind]: n.label }) }, said("bdi", name(n), n.card?.language));
  const named = (n) => (n.kind === "artifact" || groups.includes(n.kind) ? link(n) : said("bdi", name(n)));
  const list = (title, items) => (items.length ? [el("h3", {}, title), el("ul", {}, items.map((item) => el("li", {}, item)))] : []);
  const like = joined.filter((j) => j.score !== null).sort((a, b) => b.score - a.score);
  const others = joined.filter((j) => j.score === null);
  return [
    el("h2", {}, node.kind === "artifact" ? null : node.kind + ": ", said("bdi", name(node), node.card?.language)),
    el("p", {}, node.kind === "artifact" ? [facts(node.card), " ", el("a", { href: addressOf(node.id) }, "its page")] : node.artifacts ? number(node.artifacts) + " artifacts have it" : null),
    ...list("Alike", like.map((j) => [named(j.node), " ", el("span", { class: "facts" }, fixed(j.score))])),
    ...list(node.kind === "artifact" ? "It has" : "They have it", others.map((j) => [j.node.kind === "artifact" ? null : el("span", { class: "facts" }, j.node.kind + " "), named(j.node)])),
  ];
}
