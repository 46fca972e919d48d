// The points of the map as the daemon keeps them, by slots: where each is, and what it is coloured by.
import { get } from "./api.js";

const head = 16; // bytes before the points
const gone = 65535;

/** Points are kept current by poll; whoever shows them is told by changed. */
export class Points {
  edition = 0;
  version = 0;
  count = 0;
  at = new Uint16Array(0); // x and y of each slot
  codes = new Uint8Array(0); // of each slot: 0 nothing, i what values[i - 1] says, 255 something rarer
  values = [];
  field = "";

  constructor(signal, changed) {
    this.signal = signal;
    this.changed = changed;
  }

  has(slot) {
    return slot >= 0 && slot < this.count && (this.at[2 * slot] !== gone || this.at[2 * slot + 1] !== gone);
  }

  /** poll asks where the map stands, and takes what has changed. */
  async poll() {
    const now = await get("/api/v1/map", { edition: this.edition, after: this.version }, this.signal);
    if (now.edition !== this.edition || (now.version > this.version && !now.changes)) await this.load();
    else if (now.changes) this.take(now);
    return now;
  }

  async load() {
    const answer = await fetch("/api/v1/map/points", { signal: this.signal });
    if (!answer.ok) throw new Error("The daemon answers " + answer.status);
    const body = await answer.arrayBuffer();
    const view = new DataView(body);
    this.edition = Number(view.getBigUint64(0, true));
    this.version = view.getUint32(8, true);
    this.count = view.getUint32(12, true);
    this.at = new Uint16Array(body, head, 2 * this.count);
    await this.colour(this.field);
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

  /** colour fetches what the points are coloured by. */
  async colour(field) {
    this.field = field;
    const answer = await fetch("/api/v1/map/colours?" + new URLSearchParams({ field }), { signal: this.signal });
    if (!answer.ok) throw new Error("The daemon answers " + answer.status);
    const body = new Uint8Array(await answer.arrayBuffer());
    if (field !== this.field) return; // another was asked for meanwhile
    const line = body.indexOf(10);
    const told = JSON.parse(new TextDecoder().decode(body.subarray(0, line)));
    this.values = told.values;
    this.codes = grown(told.edition === this.edition ? body.slice(line + 1) : new Uint8Array(0), this.count);
    this.changed();
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

/** grown is an array with room for n, cut to it. */
function grown(array, n) {
  if (array.length === n) return array;
  const out = new array.constructor(n);
  out.set(array.subarray(0, n));
  return out;
}
