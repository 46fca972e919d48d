// An artifact: what the record says, its media, and its lists side by side.
import { addressOf, el, fixed, number, problem, said, tell } from "./dom.js";
import { artifactPath, follow, get } from "./api.js";
import { judge } from "./judge.js";
import { facts, listTitle, named, partName, parts, picture, titleOf } from "./card.js";

/** settle is how long changes of the artifact shown are gathered before it is shown anew. */
const settle = 400;

export async function showArtifact(main, id, signal) {
  const lists = el("section", { class: "lists", "aria-label": "What it is like" });
  const record = el("article", { class: "artifact" });
  main.append(record, lists);
  let last = "";
  const load = async () => {
    const view = await get(artifactPath(id) + "/view", { k: 10 }, signal);
    const { lists: found, ...rest } = view;
    const text = JSON.stringify(rest);
    if (text !== last) showRecord(record, id, rest);
    last = text;
    showLists(lists, id, [...found, ...(await themed(id, signal))]);
  };
  try {
    await load();
  } catch (error) {
    record.append(el("h1", {}, said("bdi", id)), problem(error));
    if (error.status !== 404) return;
  }
  let waiting = 0;
  signal.addEventListener("abort", () => clearTimeout(waiting));
  follow(({ change }) => {
    if (change?.id !== id || waiting) return;
    waiting = setTimeout(async () => {
      waiting = 0;
      try {
        await load();
        tell("The lists of this artifact have changed.");
      } catch (error) {
        if (!signal.aborted) tell("The lists have changed and could not be shown: " + error.message);
      }
    }, settle);
  }, signal);
}

/** themed are the lists of the themes that apply to an artifact. One that is just being learned is left out. */
async function themed(id, signal) {
  const { lists } = await get("/api/v1/lists", {}, signal);
  const asked = lists.filter((l) => l.name.startsWith("theme:")).map((l) => get(artifactPath(id) + "/list", { list: l.name, k: 10 }, signal).catch(() => null));
  return (await Promise.all(asked)).filter((l) => l?.items.length);
}

function showRecord(record, id, view) {
  const { card } = view;
  document.title = titleOf(card, id) + " · kilim";
  record.replaceChildren(
    el("div", { class: "media" }, view.media.map((m) => medium(id, m))),
    el("div", { class: "record" },
      said("h1", titleOf(card, id), card.language),
      el("p", { class: "id" }, said("bdi", id), el("a", { href: artifactPath(id) }, "JSON"), el("a", { href: "#/map?at=" + encodeURIComponent(id) }, "on the map")),
      view.description ? said("p", view.description.body, view.description.language, { class: "description" }) : null,
      el("dl", {}, view.fields.map((f) => [el("dt", {}, said("bdi", f.name)), el("dd", {}, f.terms.map((t) => term(f.name, t, card.language)))])),
      view.links.length ? el("section", { "aria-label": "Links" }, el("h2", {}, "Links"), el("ul", {}, view.links.map((l) => el("li", {}, said("bdi", l.type), ": ", named(l.card, l.target))))) : null,
      view.texts.map((t, i) => el("section", { "aria-label": "Text " + (i + 1) }, el("h2", {}, "Text", t.language ? el("span", { class: "facts" }, " " + t.language) : null), said("blockquote", t.body, t.language))),
    ),
  );
}

const searched = new Set(["culture", "period", "type"]);

function term(field, t, language) {
  const count = t.artifacts > 1 ? el("span", { class: "count", title: number(t.artifacts) + " artifacts have it" }, number(t.artifacts)) : null;
  const label = said("bdi", t.label, language);
  if (!searched.has(field)) return el("span", { class: "term" }, label, count);
  return el("a", { class: "term", href: "#/search?" + new URLSearchParams({ [field]: t.label }) }, label, count);
}

function medium(id, m) {
  const path = artifactPath(id) + "/media/" + m.place;
  if (m.kind === "audio") {
    const player = el("audio", { controls: true, preload: "none", src: path, "aria-label": "Recording " + (m.place + 1) });
    player.addEventListener("error", () => player.replaceWith(refused("This recording can't be played.")));
    return el("figure", {}, player);
  }
  const img = el("img", { src: path + "/picture?side=1024", alt: "Picture " + (m.place + 1), decoding: "async" });
  const link = el("a", { href: path, "aria-label": "Picture " + (m.place + 1) + " as it is in the record" }, img);
  img.addEventListener("error", () => link.replaceWith(refused("This picture can't be shown.")));
  return el("figure", {}, link);
}

const refused = (text) => el("p", { class: "none" }, text);

function showLists(section, id, lists) {
  // What is open stays open, and the focus stays where it is, when the lists are shown anew.
  const open = new Set([...section.querySelectorAll("details[open]")].map((d) => d.dataset.key));
  const focused = section.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  section.replaceChildren(
    el("div", { class: "columns" }, lists.map((l) => {
      const best = Math.max(...l.items.map((i) => i.score), 1e-6);
      return el("section", { class: "list", "data-list": l.name },
        el("h2", {}, said("bdi", listTitle(l.name))),
        l.learned ? el("p", { class: "facts" }, "In the order learned from " + number(l.learned) + " judged artifacts") : null,
        l.items.length ? el("ol", {}, l.items.map((i) => entry(id, l, i, best, open))) : el("p", { class: "none" }, "Nothing yet"));
    })),
    legend(lists),
  );
  if (focused) [...section.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused)?.focus();
}

const legend = (lists) =>
  el("p", { class: "legend" }, "A score is the sum of its parts: ",
    parts.filter(([name]) => lists.some((l) => l.items.some((i) => i.parts[name]))).map(([name, text]) => el("span", { class: "key part-" + name }, text)));

function entry(id, list, item, best, open) {
  const key = list.name + " " + item.id;
  const details = el("details", { "data-key": key, open: open.has(key) }, el("summary", { "data-key": key + " why" }, "why"));
  const opened = () => details.open && !details.dataset.loaded && why(details, id, list, item);
  details.addEventListener("toggle", opened);
  if (details.open) opened();
  return el("li", {},
    picture(item.card, item.id),
    el("div", { class: "what" }, named(item.card, item.id, { "data-key": key + " link" }), facts(item.card),
      el("div", { class: "score" }, el("span", {}, fixed(item.score)), bar(item, best)), details));
}

/** contributions are the parts of a score as they add up to it: those that have a name here first, then features of a learned order, the largest first. */
const contributions = (item) => {
  const named = parts.map(([name]) => name);
  const features = Object.keys(item.parts).filter((name) => !named.includes(name)).sort((a, b) => Math.abs(item.parts[b]) - Math.abs(item.parts[a]));
  return [...named, ...features].map((name) => [name, item.parts[name] ?? 0]).filter(([, v]) => v !== 0);
};

/** bar draws the parts of a score, the best one of the list over the whole width. A part below zero is not drawn; "why" tells it. */
function bar(item, best) {
  const segments = contributions(item);
  const shown = el("span", { class: "bar", role: "img", "aria-label": segments.map(([n, v]) => partName(n) + " " + fixed(v)).join(", ") });
  for (const [name, value] of segments) {
    const segment = el("span", { class: "part-" + name });
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
    el("tbody", {}, contributions(item).map(([name, v]) => el("tr", {}, el("th", { scope: "row" }, el("span", { class: "key part-" + name }, partName(name))), el("td", {}, fixed(v)))))));
  if (item.shared) told.append(el("p", {}, "Both are likely to have: ", item.shared.flatMap((t, i) => [i ? ", " : null, said("bdi", t)]), "."));
  try {
    const found = await get(artifactPath(id) + "/why", { with: item.id });
    told.append(found.shared.length
      ? el("div", {}, el("p", {}, "Both have:"), el("ul", {}, found.shared.map((s) => el("li", {}, said("bdi", s.label), el("span", { class: "facts" }, " " + s.type + ", as " + number(s.artifacts) + (s.artifacts === 1 ? " artifact has" : " artifacts have"))))))
      : el("p", {}, "They share no term."));
    if (found.linked) told.append(el("p", {}, "One names the other."));
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
