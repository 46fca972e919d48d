// The page's views by the address behind "#": "/" what arrives, "/search?q=..." a search, "/artifact/ID" an artifact, "/map?at=ID" the map,
// "/cultures?kind=...&theme=..." how near cultures are, "/network?id=ID" or "?culture=..." what is around one, "/ask" a question.
import { el, problem } from "./dom.js";
import { showArtifact } from "./artifact.js";
import { showAsk } from "./ask.js";
import { showCultures } from "./cultures.js";
import { showLive } from "./live.js";
import { showMap } from "./map.js";
import { showNetwork } from "./network.js";
import { showSearch } from "./search.js";

const main = document.getElementById("main");
const words = document.getElementById("words");
let shown = null; // aborted when another view is shown

async function show() {
  shown?.abort();
  shown = new AbortController();
  const { signal } = shown;
  const address = location.hash.replace(/^#/, "") || "/";
  const [path, query] = address.split("?");
  const params = new URLSearchParams(query ?? "");
  const [, view, id] = path.split("/");
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === (view || "live")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  words.value = view === "search" ? (params.get("q") ?? "") : "";
  main.replaceChildren();
  try {
    if (view === "") await showLive(main, signal);
    else if (view === "search") await showSearch(main, params, signal);
    else if (view === "map") await showMap(main, params, signal);
    else if (view === "cultures") await showCultures(main, params, signal);
    else if (view === "network") await showNetwork(main, params, signal);
    else if (view === "artifact" && id) await showArtifact(main, decodeURIComponent(id), signal);
    else if (view === "ask") showAsk(main, signal);
    else main.append(el("h1", {}, "There is no such view"));
  } catch (error) {
    if (!signal.aborted) main.append(problem(error));
  }
}

addEventListener("hashchange", () => {
  show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});

document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault(); // the address is the view's
  main.focus();
});

document.getElementById("find").addEventListener("submit", (e) => {
  e.preventDefault();
  const to = "#/search?" + new URLSearchParams({ q: words.value.trim() });
  if (to === location.hash) show();
  else location.hash = to;
});

show();
