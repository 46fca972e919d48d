// What the page asks the daemon.

export const artifactPath = (id) => "/api/v1/artifacts/" + encodeURIComponent(id);

/** get returns the JSON at a path; the error of another answer has the daemon's own text. */
export const get = (path, params, signal) => ask(path, params, { signal, headers: { Accept: "application/json" } });

/** send is get for what changes something, with a body of JSON or none. */
export const send = (method, path, params, body) =>
  ask(path, params, { method, headers: { "Content-Type": "application/json" }, body: body ? JSON.stringify(body) : undefined });

/** sendForm is send with a form: texts and files. */
export const sendForm = (path, params, form, signal) => ask(path, params, { method: "POST", body: form, signal });

async function ask(path, params, options) {
  const query = new URLSearchParams(Object.entries(params ?? {}).filter(([, v]) => v !== "" && v !== null && v !== undefined)).toString();
  const answer = await fetch(path + (query ? "?" + query : ""), options);
  if (!answer.ok) {
    const body = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(body.error ?? "The daemon answers " + answer.status), { status: answer.status });
  }
  // An answer that is cut, or given up, in its midst fails here: taken for an empty one it would be shown.
  return answer.status === 204 ? {} : answer.json();
}

const listeners = new Set();
let source = null;

/** follow calls listener with each change that is published, until signal is aborted. All who follow share one connection, which
 * the browser makes anew, after the last event that it had, when it is cut. */
export function follow(listener, signal) {
  listeners.add(listener);
  if (!source) {
    source = new EventSource("/api/v1/live");
    source.addEventListener("change", (e) => give({ change: JSON.parse(e.data) }));
    source.addEventListener("missed", (e) => give({ missed: Number(e.data) }));
    source.addEventListener("open", () => give({ open: true }));
    source.addEventListener("error", () => {
      give({ open: false });
      // After an answer that is no stream (too many look on) the browser does not try again by itself.
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(() => listeners.size && !source && follow([...listeners][0]), 10000);
      }
    });
  }
  signal?.addEventListener("abort", () => {
    listeners.delete(listener);
    if (!listeners.size) {
      source?.close();
      source = null;
    }
  });
}

function give(event) {
  for (const listener of listeners) listener(event);
}
