// The waveform of a recording above its player, made here of its bytes.
//
// What a packed file unpacks to can't be told from its size: an Ogg or FLAC file of a megabyte may hold a day of silence, and the browser would decode all of it at once. So waveforms
// are made of what is bounded by its bytes: WAV, which is read here sample by sample, and MP3, of which a frame has a least size. Of others there is the player alone.
import { el, tell } from "./dom.js";

const mostBytes = { "audio/wav": 16 << 20, "audio/mpeg": 2 << 20 };
const columns = 600;

/** wave puts a waveform before a player, if one can be made. It can be played from any place of it, by pointer or keys. */
export async function wave(player, path, name, signal) {
  const peaks = await read(path, signal).catch(() => null);
  if (!peaks || !player.isConnected) return;
  const canvas = el("canvas", { width: columns, height: 80, "aria-hidden": "true" });
  const place = el("input", { type: "range", min: 0, max: peaks.seconds, step: peaks.seconds / 200, value: 0, "aria-label": "Place in " + name });
  const say = () => place.setAttribute("aria-valuetext", clock(place.value) + " of " + clock(peaks.seconds));
  const show = () => {
    place.value = player.currentTime;
    say();
    draw(canvas, peaks.of, player.currentTime / peaks.seconds);
  };
  place.addEventListener("input", () => {
    say();
    draw(canvas, peaks.of, place.value / peaks.seconds);
    if (player.readyState) player.currentTime = place.value;
    else player.addEventListener("loadedmetadata", () => (player.currentTime = place.value), { once: true });
  });
  const play = () => (player.paused ? player.play().catch((error) => tell(String(error.message))) : player.pause());
  place.addEventListener("pointerup", () => player.paused && play());
  place.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    play();
  });
  player.addEventListener("timeupdate", show);
  player.before(el("div", { class: "wave" }, canvas, place));
  show();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", show);
  signal.addEventListener("abort", () => dark.removeEventListener("change", show));
}

const clock = (seconds) => Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");

function draw(canvas, peaks, played) {
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const middle = canvas.height / 2;
  const loudest = Math.max(...peaks, 1e-6);
  peaks.forEach((p, i) => {
    pen.fillStyle = style.getPropertyValue(i < played * peaks.length ? "--mark" : "--quiet");
    const high = Math.max(1, (p / loudest) * (middle - 2));
    pen.fillRect((i * canvas.width) / peaks.length, middle - high, (0.7 * canvas.width) / peaks.length, 2 * high);
  });
}

/** read gets the bytes if they are few enough, and makes of them the length in seconds and the loudest of each column. */
async function read(path, signal) {
  const answer = await fetch(path, { signal });
  const kind = answer.headers.get("Content-Type");
  const size = Number(answer.headers.get("Content-Length"));
  if (!answer.ok || !(size > 0 && size <= mostBytes[kind])) {
    await answer.body?.cancel();
    return null;
  }
  const bytes = await answer.arrayBuffer();
  return kind === "audio/wav" ? ofWAV(new DataView(bytes)) : ofMP3(bytes);
}

/** ofWAV reads PCM of 8 to 32 bits and floats of 32. */
function ofWAV(view) {
  let form = null;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const name = view.getUint32(at);
    const size = Math.min(view.getUint32(at + 4, true), view.byteLength - at - 8);
    if (name === 0x666d7420 && size >= 16) { // "fmt "
      let kind = view.getUint16(at + 8, true);
      if (kind === 0xfffe && size >= 26) kind = view.getUint16(at + 32, true);
      form = { kind, channels: view.getUint16(at + 10, true), rate: view.getUint32(at + 12, true), bits: view.getUint16(at + 22, true) };
    }
    if (name === 0x64617461 && form) return ofSamples(view, at + 8, size, form); // "data"
    at += 8 + size + (size % 2);
  }
  return null;
}

function ofSamples(view, start, size, { kind, channels, rate, bits }) {
  const width = bits / 8;
  const sample = {
    "1 8": (at) => (view.getUint8(at) - 128) / 128,
    "1 16": (at) => view.getInt16(at, true) / 32768,
    "1 24": (at) => view.getInt16(at + 1, true) / 32768,
    "1 32": (at) => view.getInt32(at, true) / 2147483648,
    "3 32": (at) => view.getFloat32(at, true),
  }[kind + " " + bits];
  const frames = Math.floor(size / (width * channels));
  if (!sample || !channels || !rate || frames < 1) return null;
  return { seconds: frames / rate, of: loudest(frames, (i) => sample(start + i * width * channels)) };
}

async function ofMP3(bytes) {
  const head = new Uint8Array(bytes);
  let at = 0;
  if (head[0] === 0x49 && head[1] === 0x44 && head[2] === 0x33) at = 10 + ((head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]);
  // A frame of MPEG layer 1 to 3, lest the browser takes the bytes for something that unpacks to more.
  if (head[at] !== 0xff || (head[at + 1] & 0xe0) !== 0xe0 || !(head[at + 1] & 6)) return null;
  const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(bytes);
  const samples = sound.getChannelData(0);
  return { seconds: sound.duration, of: loudest(samples.length, (i) => samples[i]) };
}

/** loudest looks at no more than some hundred samples a column. */
function loudest(frames, sample) {
  const n = Math.min(columns / 3, frames);
  return Array.from({ length: n }, (_, c) => {
    const from = Math.floor((c * frames) / n);
    const to = Math.floor(((c + 1) * frames) / n);
    const step = Math.max(1, Math.floor((to - from) / 500));
    let most = 0;
    for (let i = from; i < to; i += step) most = Math.max(most, Math.abs(sample(i)) || 0);
    return most;
  });
}
