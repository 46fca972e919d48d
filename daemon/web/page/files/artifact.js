// An artifact: what the record says, its media, and its lists side by side.
import { el, number, problem, said, tell } from "./dom.js";
import { artifactPath, follow, get } from "./api.js";
import { held, named, titleOf } from "./card.js";
import { showLists } from "./lists.js";
import { changed } from "./history.js";
import { networkOf } from "./network.js";
import { sliders } from "./sliders.js";

/** settle is how long changes of the artifact shown are gathered before it is shown anew. */
const settle = 400;

export async function showArtifact(main, id, signal) {
  const lists = el("section", { class: "lists", "aria-label": "What it is like" });
  const record = el("article", { class: "artifact" });
  let found = [];
  let weighed = null; // the list total by the sliders
  const show = () => showLists(lists, id, found.map((l) => (weighed && l.name === "total" ? weighed : l)));
  const weights = sliders(id, signal, (list) => {
    weighed = list;
    show();
  });
  const past = changed(id, signal);
  main.append(record, weights.box, lists, past.box);
  let last = "";
  const load = async () => {
    const view = await get(artifactPath(id) + "/view", { k: 10 }, signal);
    const { lists: stored, ...rest } = view;
    const text = JSON.stringify(rest);
    if (text !== last) showRecord(record, id, rest, signal);
    last = text;
    const byTheme = await themed(id, signal);
    found = [...stored, ...byTheme];
    show();
    past.load(found.map((l) => l.name));
    await weights.of(byTheme.map((l) => l.name.slice("theme:".length)));
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
  }, signal, { id });
}

/** themed are the lists of the themes that apply to an artifact. One that is just being learned is left out. */
async function themed(id, signal) {
  const { lists } = await get("/api/v1/lists", {}, signal);
  const asked = lists.filter((l) => l.name.startsWith("theme:")).map((l) => get(artifactPath(id) + "/list", { list: l.name, k: 10 }, signal).catch(() => null));
  return (await Promise.all(asked)).filter((l) => l?.items.length);
}

function showRecord(record, id, view, signal) {
  const { card } = view;
  document.title = titleOf(card, id) + " · kilim";
  record.replaceChildren(
    el("div", { class: "media" }, view.media.map((m) => medium(id, m, signal))),
    el("div", { class: "record" },
      said("h1", titleOf(card, id), card.language),
      el("p", { class: "id" }, said("bdi", id), el("a", { href: artifactPath(id) }, "JSON"), el("a", { href: "#/map?at=" + encodeURIComponent(id) }, "on the map"), el("a", { href: networkOf({ id }) }, "network"), held(view.holders)),
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

function medium(id, m, signal) {
  const path = artifactPath(id) + "/media/" + m.place;
  if (m.kind === "audio") {
    const player = el("audio", { controls: true, preload: "none", src: path, "aria-label": "Recording " + (m.place + 1) });
    const draw = async () => {
      const { wave } = await import("./wave.js");
      await wave(player, path, "recording " + (m.place + 1), signal);
    };
    player.addEventListener("error", () => {
      player.previousElementSibling?.remove();
      player.replaceWith(refused("This recording can't be played", m));
    });
    // What the record only points to is asked for when somebody plays it.
    if (m.uri) player.addEventListener("play", draw, { once: true });
    else whenSeen(player, draw, signal);
    return el("figure", {}, player);
  }
  const img = el("img", { src: path + "/picture?side=1024", alt: "Picture " + (m.place + 1), decoding: "async" });
  const link = el("a", { href: path, "aria-label": "Picture " + (m.place + 1) + ", enlarged", on: { click: async (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return; // another tab or window
    e.preventDefault();
    const { zoom } = await import("./zoom.js");
    zoom(path, img.alt);
  } } }, img);
  img.addEventListener("error", () => link.replaceWith(refused("This picture can't be shown", m)));
  return el("figure", {}, link);
}

/** whenSeen calls fn once an element has come into view. */
function whenSeen(element, fn, signal) {
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    watch.disconnect();
    fn();
  });
  watch.observe(element);
  signal.addEventListener("abort", () => watch.disconnect());
}

const refused = (text, m) => el("p", { class: "none" }, text + ": it can't be had, or is none that is read here.", m.uri ? [" The record has it at ", el("bdi", { class: "address" }, m.uri)] : null);
