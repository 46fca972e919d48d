// What a curator says of a pair: alike or not, in general or in a theme.
import { el, problem, said, tell } from "./dom.js";
import { get, send } from "./api.js";

const path = "/api/v1/judgments";
const name = "kilim.by"; // where the browser keeps the name of who judges, for as long as its tab is open

/** judge lets somebody say how alike two artifacts are in a theme, "" for in general, and take it back. */
export async function judge(id, other, theme) {
  const by = el("input", { type: "text", value: sessionStorage.getItem(name) ?? "", placeholder: "your name", "aria-label": "Your name", maxlength: 80, size: 12 });
  by.addEventListener("change", () => sessionStorage.setItem(name, by.value.trim()));
  const state = el("span", { class: "facts" });
  const box = el("div", { class: "judge", role: "group", "aria-label": "Your judgment" });
  const show = async () => {
    const { judgments } = await get(path, { id });
    const now = judgments.find((j) => (j.a === other || j.b === other) && (j.theme ?? "") === theme);
    state.replaceChildren(...(now ? [now.grade > 0 ? "alike, says " : "not alike, says ", said("bdi", now.by)] : []));
    undo.hidden = !now;
  };
  const act = (what, fn) => async () => {
    try {
      await fn();
      await show();
      tell(what);
    } catch (error) {
      box.append(problem(error));
    }
  };
  const grade = (value, text) => el("button", { on: { click: act(text, () => send("POST", path, {}, { a: id, b: other, grade: value, theme, by: by.value.trim() || "the page" })) } }, text);
  const undo = el("button", { hidden: true, on: { click: act("Taken back", () => send("DELETE", path, { a: id, b: other, theme })) } }, "Take back");
  box.append(grade(1, "Alike"), " ", grade(0, "Not alike"), " ", undo, " ", by, " ", state);
  await show();
  return box;
}
