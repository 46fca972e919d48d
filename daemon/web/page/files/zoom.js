// A picture to be looked at closely: larger by wheel, keys and buttons, moved by dragging and arrows. It is the record's own file, as the daemon serves it.
import { el } from "./dom.js";

const most = 16;

/** zoom opens a dialog with a picture; without a name for what it is it can't be told apart. */
export function zoom(path, name) {
  const img = el("img", { src: path, alt: name, draggable: "false" });
  const view = el("div", { class: "pane", tabindex: 0, role: "group", "aria-label": name + ": plus and minus enlarge, arrows move, 0 shows the whole" }, img);
  let at = { x: 0, y: 0, by: 1 };
  const place = (next, said) => {
    const by = Math.min(most, Math.max(1, next.by));
    // Some of the picture stays in view, and all of it where it is not enlarged.
    const far = { x: (view.clientWidth * (by - 1)) / 2, y: (view.clientHeight * (by - 1)) / 2 };
    at = { by, x: Math.min(far.x, Math.max(-far.x, next.x)), y: Math.min(far.y, Math.max(-far.y, next.y)) };
    img.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.by})`;
    if (said) size.textContent = Math.round(100 * at.by) + " %";
  };
  /** enlarge keeps what is at x and y, from the middle, where it is. */
  const enlarge = (factor, x = 0, y = 0) => {
    const by = Math.min(most, Math.max(1, at.by * factor));
    const f = by / at.by;
    place({ by, x: x - (x - at.x) * f, y: y - (y - at.y) * f }, true);
  };
  const all = () => place({ x: 0, y: 0, by: 1 }, true);
  const size = el("span", { class: "facts", role: "status" }); // within the dialog: what is outside is not read while it is open
  const button = (label, text, does) => el("button", { type: "button", "aria-label": label, on: { click: does } }, text);
  const dialog = el("dialog", { class: "zoom", "aria-label": name },
    el("p", { class: "controls" }, button("Enlarge", "+", () => enlarge(1.5)), " ", button("Make smaller", "−", () => enlarge(1 / 1.5)), " ", button("Whole", "Whole", all), " ",
      button("Close", "Close", () => dialog.close()), " ", size),
    view);
  const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  view.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    if (steps[e.key]) place({ ...at, x: at.x + 60 * steps[e.key][0], y: at.y + 60 * steps[e.key][1] });
    else if (e.key === "+" || e.key === "=") enlarge(1.5);
    else if (e.key === "-") enlarge(1 / 1.5);
    else if (e.key === "0") all();
    else return;
    e.preventDefault();
  });
  view.addEventListener("wheel", (e) => {
    e.preventDefault();
    const box = view.getBoundingClientRect();
    enlarge(Math.exp(-e.deltaY / 400), e.clientX - box.x - box.width / 2, e.clientY - box.y - box.height / 2);
  }, { passive: false });
  const fingers = new Map();
  view.addEventListener("pointerdown", (e) => {
    view.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, e);
  });
  view.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId);
    if (other) enlarge(Math.hypot(e.clientX - other.clientX, e.clientY - other.clientY) / Math.max(1, Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY)));
    else place({ ...at, x: at.x + e.clientX - before.clientX, y: at.y + e.clientY - before.clientY });
    fingers.set(e.pointerId, e);
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (e) => fingers.delete(e.pointerId));
  // The file may be one that the browser does not show: the smaller copy that the page has is always one.
  img.addEventListener("error", () => (img.src = path + "/picture?side=1024"), { once: true });
  dialog.addEventListener("close", () => dialog.remove());
  addEventListener("hashchange", () => dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  view.focus();
}
