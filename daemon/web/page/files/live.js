// What arrives, and what changes because of it.
import { el, fixed, number, problem, said } from "./dom.js";
import { follow, get } from "./api.js";
import { rates as charts } from "./rates.js";
import { facts, listTitle, named, partName, picture } from "./card.js";

const keptEvents = 60; // on the page
const gathered = 100; // milliseconds in which changes are shown together: to show one lays out and paints the page, and there may be hundreds a second
const every = 2000; // milliseconds from status to status
const keptRates = 60;

export async function showLive(main, signal) {
  document.title = "Live · kilim";
  const figures = el("dl", { class: "figures", "aria-label": "Where the daemon stands" });
  const feed = el("ol", { class: "feed" });
  const state = el("span", { class: "facts" }, "connecting");
  let paused = false;
  const waiting = []; // what is not shown yet, by how it is made and whether it stays when there is too much
  let due = 0;
  let last = -gathered; // when something was shown
  const show = () => {
    due = 0;
    last = performance.now();
    feed.prepend(...waiting.splice(0).reverse().map((w) => w.entry()));
    while (feed.children.length > keptEvents) feed.lastChild.remove();
  };
  const soon = () => {
    if (!paused) due ||= setTimeout(show, Math.max(0, last + gathered - performance.now()));
  };
  signal.addEventListener("abort", () => clearTimeout(due));
  const pause = el("button", { "aria-pressed": "false", on: { click: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    pause.textContent = paused ? "Go on" : "Pause";
    if (paused) clearTimeout(due);
    due = 0;
    soon();
  } } }, "Pause");
  const add = (stays, entry) => {
    waiting.push({ stays, entry });
    // What has arrived goes before what has only changed because of it.
    if (waiting.length > keptEvents) waiting.splice(Math.max(0, waiting.findIndex((w) => !w.stays)), 1);
    soon();
  };
  const minutes = charts(signal);
  main.append(el("h1", {}, "Live"), figures, minutes.box, el("p", { class: "controls" }, pause, " ", state), feed);
  follow(({ change, missed, open }) => {
    if (open !== undefined) state.textContent = open ? "" : "The daemon does not answer. It is asked again by itself.";
    if (change) add(change.own, () => eventOf(change));
    if (missed) add(true, () => el("li", { class: "missed" }, number(missed) + " changes came too quickly to be shown here."));
  }, signal);
  await watchStatus(figures, minutes, signal);
}

async function watchStatus(figures, minutes, signal) {
  let before = null;
  const rates = [];
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        const status = await get("/api/v1/status", {}, signal);
        const at = performance.now();
        if (before) rates.push(Math.max(0, (status.records.consumed - before.consumed) / ((at - before.at) / 1000)));
        if (rates.length > keptRates) rates.shift();
        before = { at, consumed: status.records.consumed };
        showStatus(figures, status, rates);
        minutes.add(status, rates.at(-1));
      } catch (error) {
        if (signal.aborted) return;
        figures.replaceChildren(el("div", {}, problem(error)));
        before = null;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

function showStatus(figures, status, rates) {
  const media = Object.values(status.media).reduce((sum, m) => sum + m.waiting, 0);
  const training = status.training && status.training.phase !== "idle" ? status.training.phase + (status.training.steps ? " " + status.training.step + "/" + status.training.steps : "") : null;
  const tiles = [
    ["artifacts", number(status.artifacts)],
    ["records a second", rates.length ? rates.at(-1).toFixed(1) : "…"],
    ["records to read", status.assigned ? number(status.lag) : "not assigned"],
    ["being refreshed", number(status.refresh_queue)],
    ["to be published", number(status.outbox)],
    ["media to encode", number(media)],
    ["model's epoch", number(status.epoch), training ? el("span", { class: "facts" }, training) : null],
  ];
  figures.replaceChildren(...tiles.map(([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, more))));
  if (!status.ready) figures.prepend(el("div", {}, problem(status.reason ?? "not ready")));
}

function eventOf(change) {
  const card = (id) => change.cards[id];
  const when = new Date(change.recorded);
  const time = when.getUTCFullYear() > 1 ? el("time", { datetime: change.recorded }, when.toLocaleTimeString()) : null;
  if (change.deleted) {
    return el("li", { class: "gone" }, picture(null, change.id), el("div", { class: "what" }, said("bdi", change.id), el("p", {}, "is gone, and its lists with it. ", time)));
  }
  return el("li", { class: change.own ? "own" : null, "data-id": change.id }, picture(card(change.id), change.id),
    el("div", { class: "what" },
      el("p", { class: "head" }, change.own ? el("span", { class: "badge" }, "arrived") : null, named(card(change.id), change.id), " ", facts(card(change.id)), " ", time),
      change.own ? nearest(change, card) : reasons(change, card)));
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
