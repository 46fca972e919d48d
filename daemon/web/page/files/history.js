// What has changed: who has entered, left and moved in an artifact's published lists since a date.
import { el, fixed, number, problem, said, tell } from "./dom.js";
import { artifactPath, get } from "./api.js";
import { listTitle, named, titleOf } from "./card.js";
import { chart, lineClass } from "./chart.js";

/** moment is a date as people write it, in their own time zone. */
const moment = (at) => el("time", { datetime: at }, new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));

/** changed is the section of an artifact's lists as of a date; load shows it anew, of the lists that it is given. */
export function changed(id, signal) {
  const since = el("input", { type: "date" });
  const found = el("div", { class: "columns" });
  const box = el("section", { class: "changed", "aria-label": "What has changed" },
    el("h2", {}, "What has changed"), el("label", { class: "field" }, "Since ", since), found);
  let asked = 0;
  let lists = [];
  const load = async (of = lists) => {
    lists = of;
    const now = ++asked;
    let answers;
    try {
      // A day begins where the reader is.
      const from = since.value ? new Date(since.value + "T00:00").toISOString() : "";
      answers = await Promise.all(lists.map((list) => get(artifactPath(id) + "/history", { list, since: from }, signal).catch((error) => {
        // A list of a theme may be one that is not published, or of which nothing is noted yet.
        if (error.status === 404 && list.startsWith("theme:")) return null;
        throw error;
      })));
    } catch (error) {
      if (!signal.aborted && now === asked) found.replaceChildren(problem(error));
      return;
    }
    if (now !== asked) return;
    const open = [...found.querySelectorAll("details[open]")].map((d) => d.dataset.turns);
    found.replaceChildren(...answers.filter(Boolean).map((h) => shown(h, open.includes(h.list))));
  };
  since.addEventListener("change", async () => {
    await load();
    tell("Changes are shown" + (since.value ? " since " + since.value : " for as long as they are known") + ".");
  });
  return { box, load };
}

function shown(h, open) {
  const some = (title, moves, rank) => (moves.length ? [el("dt", {}, title), ...moves.map((m) => el("dd", {}, named(h.cards[m.id], m.id), el("span", { class: "facts" }, " " + rank(m))))] : []);
  const all = [
    ...some("Entered", h.entered, (m) => "at place " + number(m.to)),
    ...some("Left", h.left, (m) => "from place " + number(m.from)),
    ...some("Moved", h.moved, around),
  ];
  return el("section", { "data-history": h.list },
    el("h3", {}, said("bdi", listTitle(h.list))),
    el("p", { class: "facts" }, reach(h)),
    all.length ? el("dl", {}, all) : el("p", { class: "none" }, "It is as it was."),
    h.turns.length ? el("details", { open, "data-turns": h.list }, el("summary", {}, number(h.turns.length) + (h.turns.length === 1 ? " change" : " changes")), el("ol", {}, h.turns.map((t) => turn(h, t)))) : null);
}

/** reach says from when on a list is known, and that it is not from the date asked for. */
function reach(h) {
  if (!h.reaches) return ["What was before ", moment(h.known_since), " is forgotten; this is what has changed since then."];
  const asked = h.since ? new Date(h.since) : null;
  if (h.complete && (!asked || asked < new Date(h.known_since))) return ["Its first list is of ", moment(h.known_since), "."];
  return ["Since ", moment(h.since ?? h.known_since), "."];
}

const turn = (h, t) =>
  el("li", {}, moment(t.at), ": ", t.moves.flatMap((m, i) => [i ? ", " : null, said("bdi", titleOf(h.cards[m.id], m.id)), " " + went(m)]), because(t.cause, (id) => titleOf(h.cards[id], id)));

const went = (m) => (!m.from ? "entered at place " + number(m.to) : !m.to ? "left from place " + number(m.from) : "went " + around(m));

/** around tells of one that stays in a list; at the same place it has moved when another of those that stay went past it. */
const around = (m) => (m.from === m.to ? "among the others, still at place " + number(m.to) : "from place " + number(m.from) + " to " + number(m.to));

const because = (cause, name) => (cause.length ? [" (because of ", cause.flatMap((id, i) => [i ? ", " : null, said("bdi", name(id))]), ")"] : null);

/** met tells how an artifact came to its place in the lists of another, as the answer to "why" has it. */
export function met(history) {
  if (!history?.turns.length) return null;
  const drawn = el("div", { class: "plot" });
  const names = [...new Set(history.scores.map((s) => s.list))];
  const box = el("div", { class: "met" },
    names.length ? el("figure", {}, el("figcaption", {}, "Its score over time:"), drawn, el("ul", {}, names.map((name, i) => scores(history.scores.filter((s) => s.list === name), name, i)))) : null,
    el("p", {}, "How it came to its place:"), el("ul", {}, history.turns.map((r) =>
      el("li", {}, said("bdi", listTitle(r.list)), ": ", r.from === r.to ? ["at place " + number(r.to) + " at ", moment(r.at), ", what was before is forgotten"] : [went(r) + " at ", moment(r.at), because(r.cause, (id) => id)]))));
  // It is drawn once it is there: only then it is known how wide.
  if (names.length) requestAnimationFrame(() => draw(drawn, history.scores, names).catch((error) => drawn.replaceWith(problem(error))));
  return box;
}

/** scores says in words what the line of a list shows. */
function scores(all, name, i) {
  const values = all.map((s) => s.score);
  const last = all.at(-1);
  const text = all.length === 1 ? fixed(last.score) : "between " + fixed(Math.min(...values)) + " and " + fixed(Math.max(...values)) + ", at last " + fixed(last.score);
  return el("li", {}, el("span", { class: "key " + lineClass(i) }, said("bdi", listTitle(name))), text, last.until ? [", out of the list since ", moment(last.until)] : null);
}

async function draw(box, scores, names) {
  const time = (text) => new Date(text).getTime() / 1000;
  const now = Date.now() / 1000;
  const times = [...new Set([...scores.flatMap((s) => [time(s.at), s.until ? time(s.until) : now]), now])].sort((a, b) => a - b);
  const line = (name) => {
    const own = scores.filter((s) => s.list === name);
    return times.map((t) => own.findLast((s) => time(s.at) <= t && (!s.until || t < time(s.until)))?.score ?? null);
  };
  const least = Math.min(0, ...scores.map((s) => s.score));
  await chart(box, [times, ...names.map(line)], { lines: names.length, height: 130, from: least * 1.1, least: 0.1, value: (v) => v.toFixed(2), steps: true });
}
