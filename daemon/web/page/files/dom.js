// How the page makes elements. Nothing here takes HTML: a text becomes a text node, whatever is in it.

/** el makes an element. In props, on is an object of listeners; other names are attributes, left out when null or false. */
export function el(tag, props, ...children) {
  const e = tag === "svg" || tag === "polyline" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on") for (const [type, listener] of Object.entries(value)) e.addEventListener(type, listener);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

/** said shows a text of a record, in its own direction and language: what stands around it is not moved by it. */
export function said(tag, text, language, props) {
  return el(tag, { dir: "auto", lang: language || null, ...props }, text);
}

export const addressOf = (id) => "#/artifact/" + encodeURIComponent(id);

/** number is a count as people write it. */
export const number = (n) => n.toLocaleString("en");

/** fixed is a score. */
export const fixed = (x) => x.toFixed(3).replace("-", "−");

/** tell has a screen reader say something. */
export function tell(text) {
  document.getElementById("told").textContent = text;
}

/** problem shows why something could not be shown. */
export const problem = (error) => el("p", { class: "problem", role: "alert" }, String(error.message ?? error));
