// A question: what texts, pictures, recordings and fields would be like, together. Nothing of it is stored.
import { el, number, problem, said, tell } from "./dom.js";
import { send, sendForm } from "./api.js";
import { showLists } from "./lists.js";
import { standing } from "./standing.js";

const fields = ["title", "culture", "period", "type", "material", "technique", "place", "subject"];
const ask = "/api/v1/ask";
const shown = 10; // entries of a list
const mostFiles = 8;
const mostBytes = 16 << 20; // with the texts, which are small; the daemon refuses more
const mostText = 1 << 20;

export function showAsk(main, signal) {
  document.title = "Ask · kilim";
  let files = [];
  const text = el("textarea", { id: "ask-text", dir: "auto", rows: 4 });
  const picker = el("input", { type: "file", id: "ask-files", multiple: true, accept: "image/*,audio/*,text/plain", on: { change: () => take(picker.files) } });
  const chosen = el("ul", { class: "files", "aria-label": "Chosen files" });
  const wrong = el("div");
  const inputs = fields.map((name) => el("input", { id: "ask-" + name, name, dir: "auto", autocomplete: "off" }));
  const button = el("button", {}, "Ask");
  const form = el("form", { class: "ask", "aria-label": "A question" },
    el("div", { class: "field" }, el("label", { for: "ask-text" }, "A text, in any language"), text),
    el("div", { class: "field" }, el("label", { for: "ask-files" }, "Pictures and recordings: choose them, paste them, or drop them here"), picker),
    chosen,
    el("details", {}, el("summary", {}, "Fields, as in a record; several values with ; between"),
      el("div", { class: "fields" }, fields.map((name, i) => el("span", { class: "field" }, el("label", { for: "ask-" + name }, name), inputs[i])))),
    wrong, el("div", {}, button));
  const lists = el("section", { class: "lists", "aria-label": "What it would be like", hidden: true });
  main.append(el("h1", {}, "Ask"), el("p", {}, "What would it be like? Nothing of it is stored."), form, standing(() => recordOf(text.value, files, inputs), async (record) => {
    show(await send("POST", ask, { k: shown }, record));
    lists.scrollIntoView();
  }, signal), lists);

  const show = ({ lists: found }) => {
    lists.hidden = false;
    showLists(lists, null, found);
    tell("Its lists are shown.");
  };

  /** take adds files; the text of a text file goes to the texts. */
  const take = async (more) => {
    wrong.replaceChildren();
    for (const file of more) {
      if (file.type === "text/plain") {
        if (file.size > mostText) refuse(file.name + " is too long: at most " + number(mostText) + " bytes of text can be asked about.");
        else text.value += (text.value ? "\n\n" : "") + (await file.text());
      } else if (files.length === mostFiles) refuse("At most " + mostFiles + " files can be asked about at once.");
      else if (files.reduce((sum, f) => sum + f.size, file.size) > mostBytes) refuse(file.name + " is too large: all files together may have " + number(mostBytes) + " bytes.");
      else files.push(file);
    }
    picker.value = ""; // so that the same file can be chosen again
    showFiles();
  };
  const refuse = (why) => wrong.append(problem({ message: why }));
  const showFiles = () => chosen.replaceChildren(...files.map((file) => el("li", {}, said("bdi", file.name), el("span", { class: "facts" }, number(file.size) + " bytes"),
    el("button", { type: "button", "aria-label": "Remove " + file.name, on: { click: () => {
      files = files.filter((f) => f !== file);
      showFiles();
      picker.focus();
    } } }, "Remove"))));

  form.addEventListener("dragover", (e) => {
    e.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", (e) => form.contains(e.relatedTarget) || form.classList.remove("over"));
  form.addEventListener("drop", (e) => {
    e.preventDefault();
    form.classList.remove("over");
    if (e.dataTransfer.files.length) take(e.dataTransfer.files);
    else text.value += e.dataTransfer.getData("text/plain");
  });
  form.addEventListener("paste", (e) => {
    if (!e.clipboardData.files.length) return;
    e.preventDefault();
    take(e.clipboardData.files);
  });
  // A file that is dropped beside the form would be opened in place of the page.
  for (const type of ["dragover", "drop"]) addEventListener(type, (e) => e.preventDefault(), { signal });

  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    wrong.replaceChildren();
    button.disabled = true;
    button.textContent = "Asking …";
    try {
      show(await sendForm(ask, { k: shown }, question(text.value, files, inputs), signal));
    } catch (error) {
      if (!signal.aborted) refuse(error.status ? error.message : "The daemon did not answer: " + error.message);
    }
    button.disabled = false;
    button.textContent = "Ask";
  });
}

const fieldsOf = (inputs) => Object.fromEntries(inputs.map((i) => [i.name, i.name === "title" ? i.value.trim() : i.value.split(";").map((v) => v.trim()).filter(Boolean)]).filter(([, v]) => v.length));

/** recordOf is all that is asked about as one record. */
async function recordOf(text, files, inputs) {
  const media = await Promise.all(files.map(async (file) => ({ kind: file.type.startsWith("audio/") ? "audio" : "image", data: await base64(file) })));
  if (text.trim()) media.unshift({ kind: "text", text });
  return { ...fieldsOf(inputs), ...(media.length && { media }) };
}

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
  reader.addEventListener("error", () => reject(reader.error));
  reader.readAsDataURL(file);
});

/** question is the form that is sent. */
function question(text, files, inputs) {
  const form = new FormData();
  const record = fieldsOf(inputs);
  if (Object.keys(record).length) form.append("record", JSON.stringify(record));
  if (text.trim()) form.append("text", text);
  for (const file of files) form.append("file", file, file.name);
  return form;
}
