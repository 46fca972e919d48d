// Lists side by side, each entry with what its score is made of.
import { addressOf, el, fixed, number, problem, said } from "./dom.js";
import { artifactPath, get } from "./api.js";
import { met } from "./history.js";
import { judge } from "./judge.js";
import { facts, held, listTitle, named, partClass, partName, parts, picture } from "./card.js";

/** showLists shows lists side by side in a section: those of a stored artifact, or, without an id, those that something which is not stored would have. */
export function showLists(section, id, lists) {
  // What is open stays open, and the focus stays where it is, when the lists are shown anew. Of an entry that is as it was, the reasons stay too, with what somebody
  // is about to say of it: they are of the two artifacts alone, and lists change often.
  const before = new Map([...section.querySelectorAll("details")].map((d) => [d.dataset.key, d]));
  const focused = section.contains(document.activeElement) ? document.activeElement : null;
  section.replaceChildren(
    el("div", { class: "columns" }, lists.map((l) => {
      const best = Math.max(...l.items.map((i) => i.score), 1e-6);
      return el("section", { class: "list", "data-list": l.name },
        el("h2", {}, said("bdi", listTitle(l.name))),
        l.learned ? el("p", { class: "facts" }, "In the order learned from " + number(l.learned) + " judged artifacts") : null,
        l.items.length ? el("ol", {}, l.items.map((i) => entry(id, l, i, best, before))) : el("p", { class: "none" }, "Nothing yet"));
    })),
    legend(lists),
  );
  if (focused) (focused.isConnected ? focused : [...section.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused.dataset.key))?.focus();
}

const legend = (lists) =>
  el("p", { class: "legend" }, "A score is the sum of its parts: ",
    [...new Set(lists.flatMap((l) => l.items.flatMap((i) => contributions(i).map(([name]) => name))))].map((name) => el("span", { class: "key " + partClass(name) }, said("bdi", partName(name)))));

const told = new WeakMap(); // what an entry's details tell of

function entry(id, list, item, best, before) {
  const key = list.name + " " + item.id;
  const { holders, ...pair } = item;
  const now = JSON.stringify([id, pair]);
  let details = before.get(key);
  if (!details || told.get(details) !== now) {
    details = el("details", { "data-key": key, open: details?.open }, el("summary", { "data-key": key + " why" }, "why"));
    told.set(details, now);
    const shown = details;
    const opened = () => shown.open && !shown.dataset.loaded && why(shown, id, list, item);
    shown.addEventListener("toggle", opened);
    if (shown.open) opened();
  }
  return el("li", {},
    picture(item.card, item.id),
    el("div", { class: "what" }, named(item.card, item.id, { "data-key": key + " link" }), facts(item.card), held(holders),
      el("div", { class: "score" }, el("span", {}, fixed(item.score)), bar(item, best)), details));
}

/** contributions are the parts of a score as they add up to it: those that are known in their order, then those of themes or features of a learned order, the
 * largest first. */
const contributions = (item) => {
  const known = parts.map(([name]) => name);
  const others = Object.keys(item.parts).filter((name) => !known.includes(name)).sort((a, b) => Math.abs(item.parts[b]) - Math.abs(item.parts[a]) || (a < b ? -1 : 1));
  return [...known, ...others].map((name) => [name, item.parts[name] ?? 0]).filter(([, v]) => v !== 0);
};

/** bar draws the parts of a score, the best one of the list over the whole width. A part below zero is not drawn; "why" tells it. */
function bar(item, best) {
  const segments = contributions(item);
  const shown = el("span", { class: "bar", role: "img", "aria-label": segments.map(([n, v]) => partName(n) + " " + fixed(v)).join(", ") });
  for (const [name, value] of segments) {
    const segment = el("span", { class: partClass(name) });
    segment.style.width = Math.max(0, (100 * value) / best) + "%";
    shown.append(segment);
  }
  return shown;
}

async function why(details, id, list, item) {
  details.dataset.loaded = "yes";
  const told = el("div", { class: "why" });
  details.append(told);
  told.append(el("table", {}, el("caption", {}, "What adds up to " + fixed(item.score)),
    el("tbody", {}, contributions(item).map(([name, v]) => el("tr", {}, el("th", { scope: "row" }, el("span", { class: "key " + partClass(name) }, said("bdi", partName(name)))), el("td", {}, fixed(v)))))));
  if (item.shared) told.append(el("p", {}, "Both are likely to have: ", item.shared.flatMap((t, i) => [i ? ", " : null, said("bdi", t)]), "."));
  if (!id) return told.append(el("p", {}, el("a", { href: addressOf(item.id) }, "Its own page")));
  try {
    const found = await get(artifactPath(id) + "/why", { with: item.id });
    told.append(found.shared.length
      ? el("div", {}, el("p", {}, "Both have:"), el("ul", {}, found.shared.map((s) => el("li", {}, said("bdi", s.label), el("span", { class: "facts" }, " " + s.type + ", as " + number(s.artifacts) + (s.artifacts === 1 ? " artifact has" : " artifacts have"))))))
      : el("p", {}, "They share no term."));
    if (found.linked) told.append(el("p", {}, "One names the other."));
    told.append(...[met(found.history)].filter(Boolean));
  } catch (error) {
    told.append(problem(error));
  }
  try {
    told.append(await judge(id, item.id, list.name.startsWith("theme:") ? list.name.slice("theme:".length) : ""));
  } catch (error) {
    told.append(problem(error));
  }
  told.append(el("p", {}, el("a", { href: addressOf(item.id) }, "Its own page")));
}
