// A choice of theme.
import { el } from "./dom.js";
import { get } from "./api.js";

const nameLength = 60;

/** themeChoice fills a select with the themes that are served, after one that is none of them, which text says. It returns what looks again: whether
 * what themes say is something else than at the last look, or is just being made so. A theme that was chosen stays there when it is served no more. */
export async function themeChoice(select, chosen, text, signal) {
  let shown = "";
  let told = null;
  const offer = (names) => {
    const value = select.value || chosen;
    chosen = "";
    select.replaceChildren(el("option", { value: "" }, text), ...names.map((n) => el("option", { value: n, dir: "auto" }, n.length > nameLength ? n.slice(0, nameLength) + "…" : n)));
    select.value = value;
  };
  offer(chosen ? [chosen] : []);
  const look = async () => {
    let now;
    try {
      now = await get("/api/v1/themes", {}, signal);
    } catch {
      return false; // what was known stays until the daemon answers again
    }
    const names = now.themes.filter((t) => t.state === "served").map((t) => t.name);
    if (select.value && !names.includes(select.value)) names.unshift(select.value);
    const list = names.join("\n");
    if (list !== shown) offer(names);
    const says = (now.model?.id ?? "") + "\n" + list;
    const other = now.waiting > 0 || (told !== null && says !== told);
    shown = list;
    told = says;
    return other;
  };
  await look();
  return look;
}
