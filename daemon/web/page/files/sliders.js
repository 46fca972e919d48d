// What themes count in the list total: sliders that order it anew at once.
import { el, problem, said, tell } from "./dom.js";
import { artifactPath, get } from "./api.js";

const pause = 120; // milliseconds without a move until the daemon is asked
const least = -1, most = 2, step = 0.1;

/** sliders are those of an artifact's themes. show is called with the list total as it is weighed, null while no theme counts. */
export function sliders(id, signal, show) {
  const box = el("fieldset", { class: "sliders", hidden: true });
  const state = el("div");
  let themes = [];
  let weights = {}; // of the themes that count
  let asked = null; // aborted when the next is asked for

  const ask = async () => {
    asked?.abort();
    const now = (asked = new AbortController());
    const counting = Object.entries(weights).map(([name, weight]) => name + ":" + weight).join(",");
    let list = null;
    try {
      if (counting) list = await get(artifactPath(id) + "/list", { list: "total", k: 10, weights: counting }, AbortSignal.any([signal, now.signal]));
      state.replaceChildren();
    } catch (error) {
      if (!signal.aborted && !now.signal.aborted) state.replaceChildren(problem(error));
      return;
    }
    if (now !== asked) return;
    show(list);
    tell(list ? "The list is ordered by the themes too." : "The list is ordered as it is stored.");
  };

  let waiting = 0;
  signal.addEventListener("abort", () => clearTimeout(waiting));
  const moved = (name, value) => {
    if (value) weights[name] = value;
    else delete weights[name];
    reset.disabled = !Object.keys(weights).length;
    clearTimeout(waiting);
    waiting = setTimeout(ask, pause);
  };
  const reset = el("button", { type: "button", disabled: true, on: { click: () => {
    weights = {};
    draw();
    ask();
  } } }, "As stored");

  const apply = el("button", { type: "button", on: { click: async () => {
    try {
      ({ weights } = await get(artifactPath(id) + "/similar", { list: "total", k: 1, weights: "auto" }, signal));
    } catch (error) {
      if (!signal.aborted) state.replaceChildren(problem(error));
      return;
    }
    for (const name of Object.keys(weights)) if (!themes.includes(name)) delete weights[name]; // there is no slider to take it back
    draw();
    await ask();
  } } }, "As far as each applies");

  const draw = () => {
    reset.disabled = !Object.keys(weights).length;
    box.replaceChildren(el("legend", {}, "What themes count in “Most like it”"), ...themes.map((name, i) => {
      const value = el("output", { for: "weight-" + i }, shown(weights[name] ?? 0));
      const range = el("input", { type: "range", id: "weight-" + i, min: least, max: most, step, value: weights[name] ?? 0, "data-theme": name });
      range.addEventListener("input", () => {
        value.textContent = shown(range.valueAsNumber);
        moved(name, range.valueAsNumber);
      });
      return el("span", { class: "field" }, el("label", { for: "weight-" + i }, said("bdi", name)), range, value);
    }), apply, reset, state);
  };

  return {
    box,
    /** of has sliders for these themes, and the list weighed anew when some count. */
    async of(names) {
      if (names.join("\n") !== themes.join("\n")) {
        themes = names;
        for (const name of Object.keys(weights)) if (!themes.includes(name)) delete weights[name];
        draw();
        box.hidden = !themes.length;
      }
      if (Object.keys(weights).length) await ask();
    },
  };
}

const shown = (weight) => (weight > 0 ? "+" : "") + weight.toFixed(1).replace("-", "−");
