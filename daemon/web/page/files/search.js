// A search by words, an id, a culture, period or type, and by the kinds of media.
import { el, number, said, tell } from "./dom.js";
import { get } from "./api.js";
import { facts, named, picture } from "./card.js";

const kinds = ["culture", "period", "type"];
const media = ["picture", "sound", "text"];

export async function showSearch(main, params, signal) {
  document.title = "Search · kilim";
  const asked = Object.fromEntries(["q", ...kinds, "has"].map((name) => [name, params.get(name) ?? ""]));
  const has = new Set(asked.has.split(",").filter(Boolean));
  const selects = kinds.map((kind) => el("select", { name: kind, id: "by-" + kind }, el("option", { value: "" }, "any")));
  const form = el("form", { class: "filters", "aria-label": "Filters", on: { change: () => go(), submit: (e) => { e.preventDefault(); go(); } } },
    kinds.map((kind, i) => el("span", { class: "field" }, el("label", { for: "by-" + kind }, kind), selects[i])),
    el("fieldset", {}, el("legend", {}, "with"), media.map((m) => el("label", {}, el("input", { type: "checkbox", name: "has", value: m, checked: has.has(m) }), m))));
  const go = () => {
    const to = new URLSearchParams();
    if (asked.q) to.set("q", asked.q);
    for (const s of selects) if (s.value) to.set(s.name, s.value);
    const with_ = [...form.querySelectorAll("input:checked")].map((i) => i.value);
    if (with_.length) to.set("has", with_.join(","));
    location.hash = "#/search?" + to;
  };
  const heading = el("h1", {}, "Search");
  const results = el("ul", { class: "cards" });
  const more = el("button", { hidden: true, on: { click: () => load(next) } }, "More");
  let next = "";
  const load = async (after) => {
    const found = await get("/api/v1/search", { ...asked, after, k: 48 }, signal);
    const count = number(found.total) + (found.total === 1 ? " artifact" : " artifacts");
    heading.replaceChildren(...(asked.q ? [count + " for “", said("bdi", asked.q), "”"] : [count]));
    if (!found.ready) heading.append(el("span", { class: "facts" }, " (of " + number(found.indexed) + "; more are being read since the start)"));
    const first = results.children.length;
    results.append(...found.items.map((c) => el("li", {}, picture(c, c.id), el("div", { class: "what" }, named(c, c.id), facts(c)))));
    if (after) results.children[first]?.querySelector("a")?.focus();
    next = found.next ?? "";
    more.hidden = !next;
    tell(count + " found");
  };
  main.append(heading, form, results, more);
  const values = await get("/api/v1/search/values", {}, signal);
  kinds.forEach((kind, i) => {
    const known = values[kind];
    if (asked[kind] && !known.some((v) => v.label === asked[kind])) known.unshift({ label: asked[kind] });
    selects[i].append(...known.map((v) => el("option", { value: v.label, selected: v.label === asked[kind], dir: "auto" }, v.label + (v.count ? " (" + number(v.count) + ")" : ""))));
  });
  await load("");
}
