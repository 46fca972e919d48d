// Standing queries: what was asked is asked again whenever the archive changes, and subscribers are told what is new in its lists.
import { el, number, problem, said, tell } from "./dom.js";
import { get, send } from "./api.js";

const path = "/api/v1/queries";
const every = 5000; // milliseconds from look to look
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** standing tells which queries stand. asked gives the record of what the view asks about, and showLists shows the lists that a record would have. */
export function standing(asked, showLists, signal) {
  const name = el("input", { id: "query-name", required: true, pattern: "[a-z0-9][a-z0-9._\\-]{0,63}", maxlength: 64, autocomplete: "off", spellcheck: "false", title: "Small letters, digits, dots, underscores and hyphens; a letter or a digit first" });
  const button = el("button", {}, "Keep asking");
  const form = el("form", { class: "controls", "aria-label": "A standing query" }, el("label", { for: "query-name" }, "Ask this again whenever something changes, under the name "), name, " ", button);
  const wrong = el("div");
  const state = el("p", { class: "facts" });
  const list = el("ul", { class: "files", "aria-label": "Standing queries" });
  const box = el("section", { class: "standing", "aria-label": "What is asked again and again" }, el("h2", {}, "Standing queries"), form, wrong, state, list);

  const look = async () => {
    const { queries, complete, most } = await get(path, {}, signal);
    state.textContent = complete ? number(queries.length) + " of at most " + number(most) + "." : "The daemon is still reading which there are.";
    list.replaceChildren(...queries.map(row));
  };
  const row = (query) => el("li", { "data-query": query.name }, said("bdi", query.name),
    el("span", { class: "facts" }, query.failure ? ["can't be asked now: ", said("bdi", query.failure)] : query.told ? "told last " + clock.format(new Date(query.told)) : "not told yet"),
    el("button", { type: "button", "aria-label": "Show the lists of " + query.name, on: { click: act(async () => showLists((await get(path + "/" + query.name, {}, signal)).record)) } }, "Show"),
    el("button", { type: "button", "aria-label": "End " + query.name, on: { click: act(async () => {
      await send("DELETE", path + "/" + query.name);
      tell("It is not asked any more.");
      await look();
      name.focus();
    }) } }, "End"));
  const act = (does) => async (e) => {
    e.preventDefault();
    wrong.replaceChildren();
    button.disabled = true;
    try {
      await does();
    } catch (error) {
      if (!signal.aborted) wrong.append(problem(error.status ? error : { message: "The daemon did not answer: " + error.message }));
    }
    button.disabled = false;
  };
  form.addEventListener("submit", act(async () => {
    await send("POST", path, {}, { name: name.value, record: await asked(), by: "the page" });
    tell("It is asked again from now on.");
    name.value = "";
    await look();
  }));
  const watch = async () => {
    while (!signal.aborted) {
      // Rows are not taken away under somebody who is about to press one of their buttons.
      if (!document.hidden && !list.contains(document.activeElement)) await look().catch((error) => signal.aborted || state.replaceChildren(problem(error)));
      await new Promise((resolve) => setTimeout(resolve, every));
    }
  };
  watch();
  return box;
}
