// The map of the archive: a point an artifact, what is alike near each other.
import { addressOf, el, number, problem, said, tell } from "./dom.js";
import { follow, get } from "./api.js";
import { facts, listTitle, named, picture, titleOf } from "./card.js";
import { hues, plot } from "./plot.js";
import { Points } from "./points.js";
import { controls } from "./plane.js";
import { themeChoice } from "./themes.js";

const every = 2000; // milliseconds from look to look
const soon = 500; // after a change was told
const recoloured = 5000; // after newcomers, which have no colour until then
const coloured = 10; // values that have a colour of their own
const near = 15; // true neighbours that are shown
const newcomers = "when it came";
const glideTime = 1200; // milliseconds in which points move from one map to another
const themesEvery = 5000; // from look to look which themes there are

export async function showMap(main, params, signal) {
  document.title = "Map · kilim";
  const view = { x: 32767, y: 32767, scale: 0, size: 4 };
  const canvas = el("canvas", { class: "points" });
  const over = el("canvas", { class: "lines", tabindex: "0", role: "application", "aria-label": "Map of the archive", "aria-describedby": "map-help" });
  const plane = el("div", { class: "plane" }, canvas, over);
  const state = el("p", { class: "facts map-state" }, "asking");
  const colour = el("select", { id: "map-colour", on: { change: () => recolour() } });
  const theme = el("select", { id: "map-theme", on: { change: () => turned() } });
  const lines = el("select", { id: "map-lines", on: { change: () => choose(chosen, true) } });
  const legend = el("table", { class: "map-legend" });
  const panel = el("section", { class: "map-panel", "aria-live": "polite", "aria-label": "The chosen artifact" }, el("p", { class: "none" }, "Point at an artifact, or reach one with the arrow keys."));
  const button = (text, label, act) => el("button", { "aria-label": label, on: { click: act } }, text);
  // The drawing may take long to be set up, and keeps the page busy meanwhile: what the first picture needs is asked for before.
  const first = Promise.all([get("/api/v1/map", {}, signal), get("/api/v1/lists", {}, signal), themeChoice(theme, params.get("theme") ?? "", "all that is known", signal)]);
  const drawing = plot(canvas);
  main.append(el("h1", {}, "Map"), state,
    el("div", { class: "filters" },
      el("span", { class: "field" }, el("label", { for: "map-theme" }, "near is what is alike in"), theme),
      el("span", { class: "field" }, el("label", { for: "map-colour" }, "coloured by"), colour),
      el("span", { class: "field" }, el("label", { for: "map-lines" }, "lines to the nearest of"), lines),
      el("span", { class: "map-buttons" }, button("+", "Nearer", () => moves.zoom(1.5)), button("−", "Farther", () => moves.zoom(1 / 1.5)), button("Whole", "The whole map", () => moves.whole()))),
    el("div", { class: "map" }, plane, el("div", {}, panel, legend)),
    el("p", { class: "legend", id: "map-help" }, "Drag and turn the wheel, or pinch, to move and to come nearer; a click opens an artifact. Keys: arrows go from artifact to artifact, with Shift they move the map, + and − come nearer and go farther, 0 shows all, Enter opens, Escape lets go."));

  let hue = new Uint8Array(0);
  let gliding = null; // the points on their way from another map
  let turning = false; // the points are another map's, and not drawn yet
  let chosen = -1;
  let told = null; // of the chosen artifact
  let only = 0; // the code that the legend has chosen
  let settled = 0;
  let asked = 0;
  let wanted = 0; // a frame that is to be drawn
  let wake = () => {}; // has the map looked at again soon
  const draw = () => {
    wanted ||= requestAnimationFrame(() => {
      wanted = 0;
      const width = plane.clientWidth;
      const ratio = devicePixelRatio || 1;
      for (const c of [drawing.canvas, over]) {
        const [w, h] = [Math.round(width * ratio), Math.round(plane.clientHeight * ratio)];
        if (c.width !== w || c.height !== h) [c.width, c.height] = [w, h];
      }
      if (!view.scale) view.scale = Math.min(over.width, over.height) / 65535;
      const density = Math.sqrt((over.width * over.height) / Math.max(points.count, 1));
      view.size = ratio * Math.max(2.5, Math.min(9, (density / ratio) * 0.25)) * Math.min(2, Math.max(1, moves.nearness() ** 0.3));
      drawing.draw(view);
      plane.dataset.drawn = drawing.kind;
      sketch();
    });
  };
  const at = () => gliding?.at ?? points.at;
  const on = (slot) => [(at()[2 * slot] - view.x) * view.scale + over.width / 2, (at()[2 * slot + 1] - view.y) * view.scale + over.height / 2];
  const sketch = () => {
    const pen = over.getContext("2d");
    const style = getComputedStyle(over);
    const ratio = devicePixelRatio || 1;
    pen.clearRect(0, 0, over.width, over.height);
    if (!points.has(chosen)) return;
    const [x, y] = on(chosen);
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.lineWidth = 1.2 * ratio;
    for (const slot of told?.slots ?? []) {
      if (!points.has(slot)) continue;
      pen.globalAlpha = 0.65;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(...on(slot));
      pen.stroke();
      ring(pen, ...on(slot), view.size / 2 + 2 * ratio);
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 2.5 * ratio;
    pen.strokeStyle = style.getPropertyValue("--mark");
    ring(pen, x, y, view.size / 2 + 4 * ratio);
  };

  const choose = async (slot, again) => {
    if (slot === chosen && !again) return;
    chosen = slot;
    told = null;
    const mine = ++asked;
    draw();
    if (!points.has(slot)) return;
    try {
      const found = await get("/api/v1/map/point", { theme: points.theme, edition: points.edition, slot, list: lines.value || "general", k: near }, signal);
      if (mine !== asked) return;
      told = found;
      panel.replaceChildren(...described(found, points));
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      panel.replaceChildren(error.status === 404 ? el("p", { class: "none" }, "This artifact has just gone, or the map was laid out anew.") : problem(error));
    }
    draw();
  };
  const points = new Points(signal, () => {
    if (turning) return;
    hue = shades();
    drawing.points(at(), hue, points.count);
    showLegend();
    draw();
  });
  const shades = () => {
    const hue = new Uint8Array(points.count);
    for (let i = 0; i < hue.length; i++) {
      const code = colour.value === newcomers ? (i < settled ? 0 : 1) : points.codes[i];
      hue[i] = only && code !== only ? 12 : code === 0 ? 0 : code <= coloured ? code : code === only ? coloured : 11;
    }
    return hue;
  };
  /** glide moves the points from where they were to where they are, unless motion is not wanted. */
  const glide = (from) => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const mine = (gliding = { at: from.slice() });
    plane.dataset.gliding = "";
    const to = points.at;
    const start = performance.now();
    const step = (now) => {
      if (gliding !== mine) return;
      const share = Math.max(0, (now - start) / glideTime);
      if (share >= 1 || points.at !== to || signal.aborted) {
        gliding = null;
        delete plane.dataset.gliding;
      } else {
        const eased = share * share * (3 - 2 * share);
        for (let i = 0; i < to.length; i++) mine.at[i] = from[i] + (to[i] - from[i]) * eased;
        requestAnimationFrame(step);
      }
      drawing.points(at(), hue, points.count);
      draw();
    };
    requestAnimationFrame(step);
  };

  /** turned has another theme shown, as soon as there is a map of it. The focus stays where it is. */
  const turned = () => {
    history.pushState(null, "", "#/map" + (theme.value ? "?" + new URLSearchParams({ theme: theme.value }) : ""));
    wake();
  };

  const turn = async (to) => {
    const { id } = told ?? {};
    gone(-1);
    turning = true;
    let from;
    try {
      from = await points.turn(to, at());
    } finally {
      turning = false;
      gliding = null;
    }
    glide(from);
    points.changed();
    lines.value = to ? "theme:" + to : "general";
    tell(to ? "The map is that of the theme " + to + "." : "The map is that of the whole archive.");
    const slot = id ? await find(id) : -1;
    if (slot < 0) moves.whole();
    else moves.show(slot);
  };

  /** gone lets go of what is chosen, whose slot is none of this map. */
  const gone = (slot) => {
    chosen = slot;
    told = null;
    asked++;
  };

  const recolour = async () => {
    only = 0;
    try {
      if (colour.value === newcomers) points.changed();
      else await points.colour(colour.value);
    } catch (error) {
      if (!signal.aborted) state.replaceChildren(problem(error));
    }
  };
  const showLegend = () => {
    if (colour.value === newcomers) {
      const n = points.count - settled;
      legend.replaceChildren(el("tbody", {}, el("tr", {}, el("th", { scope: "row" }, swatch(1), "since the last layout"), el("td", {}, number(Math.max(0, n)))), el("tr", {}, el("th", { scope: "row" }, swatch(0), "before"), el("td", {}, number(Math.min(settled, points.count))))));
      return;
    }
    legend.replaceChildren(...legendOf(points, only, (code) => {
      only = only === code ? 0 : code;
      points.changed();
      legend.querySelector("[aria-pressed=true]")?.focus();
    }));
  };
  const moves = controls(over, view, { draw, signal, nearest: (score) => points.nearest(score), has: (slot) => points.has(slot), at: (slot) => points.at.subarray(2 * slot, 2 * slot + 2), chosen: () => chosen, choose, open: () => {
    if (told) location.hash = addressOf(told.id);
  } });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const style = getComputedStyle(plane);
    drawing.palette(Array.from({ length: hues }, (_, i) => rgb(style.getPropertyValue("--hue-" + i), i === 0 || i === 11 ? 0.55 : i === 12 ? 0.25 : 0.9)));
    draw();
  };
  dark.addEventListener("change", paint, { signal });
  const sized = new ResizeObserver(draw);
  sized.observe(plane);
  signal.addEventListener("abort", () => sized.disconnect());

  const [{ fields, ...stands }, lists, themes] = await first;
  colour.append(...fields.map((f) => el("option", { value: f }, f)), el("option", { value: newcomers }, newcomers));
  const offer = ({ lists }) => {
    const was = lines.value || "general";
    lines.replaceChildren(...lists.map((l) => el("option", { value: l.name, selected: l.name === was, dir: "auto" }, listTitle(l.name))));
  };
  offer(lists);
  points.field = fields[0];
  paint();
  const sought = params.get("at");
  let known = stands; // where the map stands, until it is asked again
  follow(({ change }) => change && wake(), signal, { others: 1 });
  let due = 0; // when colours are asked for again
  let looked = performance.now(); // at the themes
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        if (performance.now() - looked > themesEvery) {
          looked = performance.now();
          if (await themes()) offer(await get("/api/v1/lists", {}, signal));
        }
        const to = theme.value;
        let coming = null; // where the map stands that is not there yet
        if (points.edition && to !== points.theme) {
          const ready = to && (await get("/api/v1/map", { theme: to }, signal));
          if (ready && !ready.made) coming = ready;
          else await turn(to);
        }
        const was = points.edition;
        const version = points.version;
        const now = await points.poll(known);
        known = null;
        settled = now.settled;
        if (was !== points.edition) {
          gone(-1);
          if (was) tell("The map was laid out anew.");
          else if (sought) {
            const slot = await find(sought);
            if (slot >= 0) moves.to(slot);
          }
          points.changed();
        } else if (version !== points.version) due ||= performance.now() + recoloured;
        if (due && performance.now() >= due) {
          due = 0;
          if (colour.value !== newcomers) await points.colour(colour.value);
        }
        state.replaceChildren(...standing(now, points.theme), ...(coming ? awaited(coming, to) : []));
      } catch (error) {
        if (signal.aborted) return;
        state.replaceChildren(problem(error));
      }
    }
    await new Promise((resolve) => {
      wake = () => setTimeout(resolve, soon);
      setTimeout(resolve, every);
    });
  }

  /** find chooses an artifact, and returns its slot. */
  async function find(id) {
    try {
      const { slot } = await get("/api/v1/map/point", { theme: points.theme, id, k: 1 }, signal);
      await choose(slot);
      return slot;
    } catch (error) {
      if (!signal.aborted) panel.replaceChildren(error.status === 404 ? el("p", { class: "none" }, "What was chosen is not on this map.") : problem(error));
      return -1;
    }
  }
}

function ring(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
}

const rgb = (text, alpha) => [1, 3, 5].map((i) => parseInt(text.trim().slice(i, i + 2), 16) / 255).concat(alpha);

const percent = (ratio) => Math.round(100 * ratio) + " %";

/** standing says in words what the map is, and how far it can be believed. */
function standing(now, theme) {
  const out = [];
  if (now.made) {
    out.push(number(now.points) + (now.points === 1 ? " artifact" : " artifacts") + (theme ? " that have the theme " + theme : "") + ", laid out " + new Date(now.made).toLocaleString() + (now.newcomers ? "; " + number(now.newcomers) + (now.newcomers === 1 ? " has" : " have") + " come since, placed by what is like " + (now.newcomers === 1 ? "it. " : "them. ") : ". "));
    if (now.points - now.newcomers > now.laid) out.push("A sample of " + number(now.laid) + " was laid out, the others were placed by their neighbours in it. ");
    if (now.points < now.artifacts) {
      const more = Math.min(now.artifacts, now.most_points) - now.points;
      if (more > 0) out.push(number(more) + (more === 1 ? " more waits for its place. " : " more wait for their places. "));
      else out.push("Of " + number(now.artifacts) + " artifacts " + number(now.most_points) + " are shown. ");
    }
    if (now.trust) out.push("Trustworthiness " + now.trust.trustworthiness.toFixed(3) + ", continuity " + now.trust.continuity.toFixed(3) + " (1 is a map without a fault; of " + now.trust.k + (now.trust.k === 1 ? " neighbour, at " : " neighbours, at ") + number(now.trust.measured) + " points). ");
  } else if (now.phase === "idle") out.push(now.artifacts ? "There is no map yet: that of " + number(now.artifacts) + (now.artifacts === 1 ? " artifact" : " artifacts") + " begins within seconds." : "There is no map yet: it is made when the first artifacts have come.");
  if (now.phase !== "idle") out.push(el("progress", { max: 1, value: now.ratio, "aria-label": "The next layout: " + now.phase }), " " + (now.made ? "the next layout: " : "the first layout: ") + now.phase + " " + percent(now.ratio));
  return out;
}

/** awaited tells of a theme's map that is not there yet. */
const awaited = (now, theme) => [el("progress", { max: 1, value: now.ratio, "aria-label": "The map of the theme: " + now.phase }), " the map of the theme " + theme + ": " + (now.phase === "idle" ? "it begins within seconds" : now.phase + " " + percent(now.ratio))];

function described(p, points) {
  return [
    el("div", { class: "map-chosen" }, picture(p.card, p.id), el("div", { class: "what" }, named(p.card, p.id), facts(p.card))),
    p.list.items.length
      ? el("p", {}, "Of the " + p.of + " nearest to it, to which lines go, the map keeps " + p.kept + (p.of ? " (" + percent(p.kept / p.of) + ")" : "") + " among its own nearest.")
      : el("p", {}, "Nothing is like it yet."),
    el("ol", { class: "map-near" }, p.list.items.map((i, n) => el("li", {}, named(i.card, i.id), points.has(p.slots[n]) ? null : el("span", { class: "facts" }, " not on the map")))),
  ];
}

const swatch = (hue) => el("span", { class: "swatch hue-" + hue, "aria-hidden": "true" });

/** legendOf is a table that also says in words what is near what: by the middles of the values that have a colour. */
function legendOf(points, only, choose) {
  const sums = points.values.map(() => [0, 0, 0]);
  let without = 0;
  let rarer = 0;
  for (let i = 0; i < points.count; i++) {
    if (!points.has(i)) continue;
    const s = sums[points.codes[i] - 1];
    if (s) {
      s[0] += points.at[2 * i];
      s[1] += points.at[2 * i + 1];
      s[2]++;
    } else if (points.codes[i]) rarer++;
    else without++;
  }
  const named = points.values.slice(0, coloured);
  const middle = (i) => [sums[i][0] / sums[i][2], sums[i][1] / sums[i][2]];
  const nearest = (i) => {
    const [x, y] = middle(i);
    let best = -1;
    let least = Infinity;
    named.forEach((_, j) => {
      const [u, v] = middle(j);
      const d = Math.hypot(u - x, v - y);
      if (j !== i && d < least) [best, least] = [j, d];
    });
    return best < 0 ? null : said("bdi", named[best].label);
  };
  const others = points.values.slice(coloured);
  const rows = named.map((v, i) => el("tr", {},
    el("th", { scope: "row" }, el("button", { "aria-pressed": String(only === i + 1), on: { click: () => choose(i + 1) } }, swatch(i + 1), said("bdi", v.label))),
    el("td", {}, number(v.count)), el("td", {}, nearest(i))));
  const rest = (hue, text, n) => (n ? el("tr", {}, el("th", { scope: "row" }, swatch(hue), text), el("td", {}, number(n)), el("td", {})) : null);
  return [
    el("caption", {}, "A value, how many have it, and which is nearest on the map. A click shows one alone."),
    el("thead", {}, el("tr", {}, [points.field, "artifacts", "nearest"].map((t) => el("th", { scope: "col" }, t)))),
    el("tbody", {}, ...rows, ...[rest(11, "others", others.reduce((sum, v) => sum + v.count, rarer)), rest(0, "none", without)].filter(Boolean)),
  ];
}
