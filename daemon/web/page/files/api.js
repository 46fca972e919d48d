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

/** follow calls listener with each change that is published and that is of interest (the parameters of /api/v1/live), until signal is aborted. The browser makes the
 * connection anew, after the last event that it had, when it is cut. */
export function follow(listener, signal, interest) {
  let source = null;
  let again = 0;
  const open = () => {
    source = new EventSource("/api/v1/live?" + new URLSearchParams(interest));
    source.addEventListener("change", (e) => listener({ change: JSON.parse(e.data) }));
    for (const lost of ["missed", "more"]) source.addEventListener(lost, (e) => listener({ more: Number(e.data) }));
    source.addEventListener("open", () => listener({ open: true }));
    source.addEventListener("error", () => {
      listener({ open: false });
      // After an answer that is no stream (too many look on) the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, 10000);
    });
  };
  open();
  signal.addEventListener("abort", () => {
    clearTimeout(again);
    source.close();
  });
}
