// An artifact in a few words.
import { addressOf, el, number, said } from "./dom.js";
import { artifactPath } from "./api.js";

/** titleOf is what a card is called: an id at the worst. */
export const titleOf = (card, id) => card?.title || id;

/** picture is the first picture of a card's artifact, or a sign for what it has instead. It is beside a title that says the same. One that is to come later is
 * not fetched before showPicture. */
export function picture(card, id, later) {
  if (typeof card?.picture !== "number") {
    return el("span", { class: "thumb none", "aria-hidden": "true" }, card?.sound ? "♪" : card?.text ? "¶" : "◇");
  }
  const img = el("img", { class: "thumb", alt: "", loading: "lazy", decoding: "async", [later ? "data-src" : "src"]: artifactPath(id) + "/media/" + card.picture + "/picture" });
  img.addEventListener("error", () => img.replaceWith(el("span", { class: "thumb none", "aria-hidden": "true" }, "◇")));
  return img;
}

/** showPicture has a picture within an element fetched that was to come later. */
export function showPicture(within) {
  const img = within.querySelector("img[data-src]");
  if (!img) return;
  img.src = img.dataset.src;
  delete img.dataset.src;
}

/** named is a link to an artifact by its title. */
export const named = (card, id, props) =>
  el("a", { href: addressOf(id), title: id, ...props }, said("bdi", titleOf(card, id), card?.title ? card.language : null));

/** facts are those of a card beside its title. */
export function facts(card) {
  const all = [card?.type, card?.culture, card?.period, card?.date].filter(Boolean);
  const kinds = [card?.sound && "recording", card?.text && "text"].filter(Boolean);
  return el("span", { class: "facts" }, all.flatMap((t, i) => [i ? " · " : null, said("bdi", t, card.language)]), kinds.length ? (all.length ? " · " : "") + kinds.join(", ") : null);
}

/** held says how many artifacts have one in their lists. */
export const held = (holders) =>
  holders ? el("span", { class: "held", title: number(holders) + (holders === 1 ? " artifact has" : " artifacts have") + " it in total or general" }, "in the lists of " + number(holders)) : null;

export const parts = [
  ["cosine", "text and neighbourhood"],
  ["entities", "what they share"],
  ["words", "words"],
  ["date", "date"],
  ["link", "link"],
  ["terms", "terms of the theme"],
  ["neighbours", "neighbours"],
  ["profile", "profile"],
  ["theme_words", "words"],
  ["stated", "the stated score"],
  ["evidence", "all of that, in total"],
];

export const partName = (name) => parts.find(([n]) => n === name)?.[1] ?? name.replace(/^theme:/, "theme ").replaceAll("_", " ");

const themeColours = 5;
const themes = []; // whose parts were shown, in the order in which they came

/** partClass is the class that gives a part its colour: one of its own, or of a theme the next one. */
export function partClass(name) {
  if (!name.startsWith("theme:")) return "part-" + name;
  if (!themes.includes(name)) themes.push(name);
  return "part-theme" + (themes.indexOf(name) % themeColours);
}

const titles = { total: "Most like it", general: "By text and neighbourhood alone" };

/** listTitle is what a list is called. */
export const listTitle = (name) => titles[name] ?? name.replace(/^theme:/, "Theme: ");
