// The points of the map as the daemon keeps them, by slots: where each is, and what it is coloured by. A theme has a map of its own, with slots of its own.
import { get } from "./api.js";

const head = 16; // bytes before the points
const gone = 65535;
const noSlot = 0xffffffff;

/** Points are kept current by poll; whoever shows them is told by changed. */
export class Points {
  edition = 0;
  version = 0;
  count = 0;
  at = new Uint16Array(0); // x and y of each slot
  codes = new Uint8Array(0); // of each slot: 0 nothing, i what values[i - 1] says, 255 something rarer
  values = [];
  field = "";
  theme = ""; // whose map it is, "": that of the archive

  constructor(signal, changed) {
    this.signal = signal;
    this.changed = changed;
  }

  has(slot) {
    return slot >= 0 && slot < this.count && (this.at[2 * slot] !== gone || this.at[2 * slot + 1] !== gone);
  }

  /** poll asks where the map stands, unless that is known, and takes what has changed. */
  async poll(known) {
    const now = known ?? await get("/api/v1/map", { theme: this.theme, edition: this.edition, after: this.version }, this.signal);
    // A theme's map that nobody has looked at for long is being made again: the points stay until it is there.
    if (this.count && !now.made) return now;
    if (now.edition !== this.edition || (now.version > this.version && !now.changes)) await this.load();
    else if (now.changes) this.take(now);
    return now;
  }

  async load() {
    const [body, worn] = await Promise.all([bytes("/api/v1/map/points", { theme: this.theme }, this.signal), this.colours(this.field)]);
    const view = new DataView(body);
    this.edition = Number(view.getBigUint64(0, true));
    this.version = view.getUint32(8, true);
    this.count = view.getUint32(12, true);
    this.at = new Uint16Array(body, head, 2 * this.count);
    // Colours are of the same edition, unless the map was laid out anew between the two answers.
    if (!worn || !this.wear(worn)) await this.colour(this.field);
  }

  /** turn takes the map of another theme, or that of the archive. It returns where each of its points was shown on the map before, as far as that is known. */
  async turn(theme, shown) {
    const before = { at: shown, slots: await this.slots() };
    this.theme = theme;
    await this.load();
    const after = await this.slots();
    if (before.slots.archive !== after.archive) return this.at;
    const was = new Map(); // by slots of the map of the archive
    before.slots.of.forEach((slot, i) => slot !== noSlot && was.set(slot, i));
    const from = this.at.slice();
    for (let i = 0; i < this.count; i++) {
      const j = was.get(after.of[i]);
      if (j === undefined || (before.at[2 * j] === gone && before.at[2 * j + 1] === gone)) continue;
      from[2 * i] = before.at[2 * j];
      from[2 * i + 1] = before.at[2 * j + 1];
    }
    return from;
  }

  /** slots are those of the archive's map, of an edition, for each slot of this one. */
  async slots() {
    if (!this.theme) return { archive: this.edition, of: Uint32Array.from({ length: this.count }, (_, i) => i) };
    const body = await bytes("/api/v1/map/slots", { theme: this.theme }, this.signal);
    const view = new DataView(body);
    const same = Number(view.getBigUint64(0, true)) === this.edition;
    return { archive: same ? Number(view.getBigUint64(8, true)) : -1, of: new Uint32Array(body, head) };
  }

  take(now) {
    const last = Math.max(...now.changes.map((c) => c.slot)) + 1;
    if (last > this.count) {
      this.at = grown(this.at, 2 * last);
      this.at.fill(gone, 2 * this.count);
      this.codes = grown(this.codes, last);
      this.count = last;
    }
    for (const c of now.changes) {
      this.at[2 * c.slot] = c.x;
      this.at[2 * c.slot + 1] = c.y;
    }
    this.version = now.version;
    this.changed();
  }

  /** colour has the points coloured by another field, or by what is new of the same. */
  async colour(field) {
    const body = await this.colours(field);
    if (body) this.wear(body);
  }

  /** colours fetches what the points are coloured by: nothing when another field or map was asked for meanwhile. */
  async colours(field) {
    this.field = field;
    const theme = this.theme;
    const body = new Uint8Array(await bytes("/api/v1/map/colours", { theme, field }, this.signal));
    return field === this.field && theme === this.theme ? body : null;
  }

  /** wear gives the points their colours, and tells whether these are of the same edition. */
  wear(body) {
    const line = body.indexOf(10);
    const told = JSON.parse(new TextDecoder().decode(body.subarray(0, line)));
    const same = told.edition === this.edition;
    this.values = told.values;
    this.codes = grown(same ? body.slice(line + 1) : new Uint8Array(0), this.count);
    this.changed();
    return same;
  }

  /** nearest is the slot that score, of x and y, is lowest of, and -1 where it is Infinity everywhere. */
  nearest(score) {
    let best = -1;
    let least = Infinity;
    for (let slot = 0; slot < this.count; slot++) {
      if (!this.has(slot)) continue;
      const s = score(this.at[2 * slot], this.at[2 * slot + 1], slot);
      if (s < least) [best, least] = [slot, s];
    }
    return best;
  }
}

/** bytes are those of an answer. */
async function bytes(path, params, signal) {
  const answer = await fetch(path + "?" + new URLSearchParams(params), { signal });
  if (!answer.ok) throw Object.assign(new Error("The daemon answers " + answer.status), { status: answer.status });
  return answer.arrayBuffer();
}

/** grown is an array with room for n, cut to it. */
function grown(array, n) {
  if (array.length === n) return array;
  const out = new array.constructor(n);
  out.set(array.subarray(0, n));
  return out;
}
