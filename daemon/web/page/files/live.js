// What arrives, and what changes because of it.
import { el, fixed, number, problem, said } from "./dom.js";
import { follow, get } from "./api.js";
import { rates as charts } from "./rates.js";
import { facts, listTitle, named, partName, picture, showPicture } from "./card.js";

const keptEvents = 120; // on the page
const shownAtOnce = 100; // of these, so that how many more there were stays in sight beside them
const others = 10; // changes a second of what no record of its own has changed; more could not be read
const gathered = 50; // milliseconds in which changes are shown together, at least: to show one lays out and paints the page. The daemon gathers them too
const settled = 600; // milliseconds after which a row is completed, of those in sight: in a flood it is out of sight by then
const inSight = 12; // rows
const readable = 4; // arrivals shown together; where more are, one batch upon the other, nobody reads what they are like, which is most of what a row costs
const calm = 1000; // milliseconds without a change after which one comes into sight slowly
const every = 2000; // milliseconds from status to status

export async function showLive(main, signal) {
  document.title = "Live · kilim";
  const figures = el("dl", { class: "figures", "aria-label": "Where the daemon stands" });
  const feed = el("ol", { class: "feed" });
  const state = el("span", { class: "facts" }, "connecting");
  let paused = false;
  let waiting = []; // changes that are not shown yet
  let more = 0; // changes that are not shown at all
  let timer = 0;
  let frame = 0;
  let last = -calm; // when something was shown
  const show = () => {
    timer = frame = 0;
    const now = performance.now();
    const flood = now - last < calm && waiting.filter((c) => c.own).length > readable;
    if (flood) {
      const arrived = waiting.filter((c) => c.own || c.deleted);
      more += waiting.length - arrived.length;
      waiting = arrived;
    }
    const rows = waiting.reverse().map((c) => (flood && c.own ? briefly(c) : eventOf(c)));
    if (rows.length === 1 && now - last >= calm) rows[0].classList.add("comes");
    waiting = [];
    last = now;
    if (more) {
      // Rows of what is not shown would themselves push out what is.
      const before = feed.firstChild?.classList.contains("more") ? feed.firstChild : null;
      more += Number(before?.dataset.more ?? 0);
      before?.remove();
      rows.push(el("li", { class: "more", "data-more": more }, number(more) + (more === 1 ? " more change" : " more changes")));
      more = 0;
    }
    feed.prepend(...rows);
    while (feed.children.length > keptEvents) feed.lastChild.remove();
    setTimeout(() => [...feed.children].slice(0, inSight).forEach((row) => rows.includes(row) && complete(row)), settled);
  };
  // A page that nobody sees has no frames: what comes meanwhile waits for one.
  const soon = () => {
    if (!paused) timer ||= setTimeout(() => (frame = requestAnimationFrame(show)), Math.max(0, last + gathered - performance.now()));
  };
  const stop = () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    timer = frame = 0;
  };
  signal.addEventListener("abort", stop);
  const pause = el("button", { "aria-pressed": "false", on: { click: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    pause.textContent = paused ? "Go on" : "Pause";
    stop();
    soon();
  } } }, "Pause");
  const add = (change) => {
    waiting.push(change);
    // What has arrived goes before what has only changed because of it.
    if (waiting.length > shownAtOnce) {
      waiting.splice(Math.max(0, waiting.findIndex((c) => !c.own)), 1);
      more++;
    }
    soon();
  };
  const minutes = charts(signal);
  main.append(el("h1", {}, "Live"), figures, minutes.box, el("p", { class: "controls" }, pause, " ", state), feed);
  follow(({ change, more: passed, open }) => {
    if (open !== undefined) state.textContent = open ? "" : "The daemon does not answer. It is asked again by itself.";
    if (change) add(change);
    if (passed) {
      more += passed;
      soon();
    }
  }, signal, { others });
  await watchStatus(figures, minutes, signal);
}

async function watchStatus(figures, minutes, signal) {
  let before = null;
  let rate; // records a second
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        const status = await get("/api/v1/status", {}, signal);
        const at = performance.now();
        if (before) rate = Math.max(0, (status.records.consumed - before.consumed) / ((at - before.at) / 1000));
        before = { at, consumed: status.records.consumed };
        showStatus(figures, status, rate);
        minutes.add(status, rate);
      } catch (error) {
        if (signal.aborted) return;
        figures.replaceChildren(el("div", {}, problem(error)));
        before = null;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

function showStatus(figures, status, rate) {
  const media = Object.values(status.media).reduce((sum, m) => sum + m.waiting, 0);
  const training = status.training && status.training.phase !== "idle" ? status.training.phase + (status.training.steps ? " " + status.training.step + "/" + status.training.steps : "") : null;
  const tiles = [
    ["artifacts", number(status.artifacts)],
    ["records a second", rate === undefined ? "…" : rate.toFixed(1)],
    ["records to read", status.assigned ? number(status.lag) : "not assigned"],
    ["being refreshed", number(status.refresh_queue)],
    ["to be published", number(status.outbox)],
    ["media to encode", number(media)],
    ["model's epoch", number(status.epoch), training ? el("span", { class: "facts" }, training) : null],
  ];
  figures.replaceChildren(...tiles.map(([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, more))));
  if (!status.ready) figures.prepend(el("div", {}, problem(status.reason ?? "not ready")));
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function timeOf(change) {
  const when = new Date(change.recorded);
  return when.getUTCFullYear() > 1 ? el("time", { datetime: change.recorded }, clock.format(when)) : null;
}

const arrived = () => el("span", { class: "badge" }, "arrived");

const completed = new WeakMap(); // what makes a row all that it can be

function complete(row) {
  completed.get(row)?.();
  completed.delete(row);
}

/** briefly shows an arrival by its title alone, until it is completed. */
function briefly(change) {
  const row = el("li", { class: "own", "data-id": change.id }, picture(null, change.id),
    el("p", { class: "what head" }, arrived(), named(change.cards[change.id], change.id), " ", timeOf(change)));
  completed.set(row, () => {
    const all = eventOf(change);
    showPicture(all);
    row.replaceChildren(...all.childNodes);
  });
  return row;
}

function eventOf(change) {
  const card = (id) => change.cards[id];
  const time = timeOf(change);
  if (change.deleted) {
    return el("li", { class: "gone", "data-id": change.id }, picture(null, change.id), el("div", { class: "what" }, said("bdi", change.id), el("p", {}, "is gone, and its lists with it. ", time)));
  }
  const row = el("li", { class: change.own ? "own" : null, "data-id": change.id }, picture(card(change.id), change.id, true),
    el("div", { class: "what" },
      el("p", { class: "head" }, change.own ? arrived() : null, named(card(change.id), change.id), " ", facts(card(change.id)), " ", time),
      change.own ? nearest(change, card) : reasons(change, card)));
  completed.set(row, () => showPicture(row));
  return row;
}

const because = (part) => (part ? ", by " + partName(part) : "");

function nearest(change, card) {
  const total = (change.lists ?? []).find((l) => l.name === "total");
  const best = (total?.entered ?? []).filter((p) => p.rank).slice(0, 3);
  if (!best.length) return el("p", {}, (change.lists ?? []).length ? "Its lists have changed." : "Nothing is like it yet.");
  return el("p", {}, "Most like ", best.flatMap((p, i) => [i ? "; " : null, named(card(p.id), p.id), " (" + fixed(p.score) + because(p.part) + ")"]), ".");
}

function reasons(change, card) {
  const cause = change.cause ?? [];
  const others = (change.causes ?? 0) - cause.length;
  return el("div", {},
    el("p", {}, cause.length
      ? ["Its lists changed because of ", cause.flatMap((id, i) => [i ? ", " : null, named(card(id), id)]), others > 0 ? " and " + number(others) + " more" : null, "."]
      : "Its lists changed as the archive around it did."),
    el("ul", { class: "changes" }, (change.lists ?? []).map((l) => el("li", {}, el("b", {}, said("bdi", listTitle(l.name))), ": ", moves(l, card)))));
}

const shownMoves = 3; // of a kind

function moves(list, card) {
  const told = [
    [list.entered, (p) => [el("ins", {}, named(card(p.id), p.id)), " entered at " + p.rank + because(p.part)]],
    [list.moved, (p) => [named(card(p.id), p.id), p.was && p.was !== p.rank ? " " + p.was + " → " + p.rank : " now at " + p.rank, because(p.part)]],
    [list.left, (p) => [el("del", {}, named(card(p.id), p.id)), " left" + (p.was ? " (was " + p.was + ")" : "")]],
  ];
  let others = list.others ?? 0;
  const all = told.flatMap(([places, text]) => {
    others += Math.max(0, (places ?? []).length - shownMoves);
    return (places ?? []).slice(0, shownMoves).map(text);
  });
  if (others) all.push([number(others) + " more"]);
  return all.flatMap((m, i) => [i ? "; " : null, ...m]);
}
