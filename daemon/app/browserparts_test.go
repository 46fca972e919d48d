package app

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestMediaInABrowser looks at a picture closely and at the waveform of a recording, by keys and by pointer, wide and narrow; axe-core finds nothing serious.
func TestMediaInABrowser(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 120, 1000
	d := start(t, cfg)
	v := browser(t, d)
	d.settle(cfg.Demo.Artifacts)
	script := axe(t)
	for _, width := range []int64{1400, 375} {
		v.run(chromedp.EmulateViewport(width, 900))
		v.open("#/search?has=sound", ".cards a")
		v.press(".cards a")
		v.holds(`document.querySelector(".wave canvas")`)
		v.holds(`document.querySelector(".wave canvas").getContext("2d").getImageData(0, 0, 600, 80).data.some((x) => x > 0)`)
		// By keys, as any slider; and it says where it is.
		v.does(`const place = document.querySelector(".wave input"); place.focus(); place.stepUp(50); place.dispatchEvent(new Event("input"))`)
		v.holds(`document.activeElement.getAttribute("aria-valuetext").startsWith("0:0") && document.querySelector(".wave input").value > 0 && document.querySelector(".wave input").ariaLabel.startsWith("Place in recording ")`)
		// A browser plays nothing that no hand asked for; where it would begin is known as soon as the recording is loaded.
		v.does(`const player = document.querySelector("audio"); player.preload = "metadata"; player.load()`)
		v.holds(`document.querySelector("audio").currentTime >= document.querySelector("audio").duration / 8`)
		v.picture(fmt.Sprint("wave-", width))
		v.accessible(script, fmt.Sprint("a recording, ", width))

		v.open("#/search?has=picture", ".cards li img")
		v.press(".cards a")
		v.holds(`document.querySelector("figure img")?.complete`)
		v.does(`document.querySelector("figure a").focus()`)
		v.press("figure a")
		v.holds(`document.querySelector("dialog[open] .pane img")?.naturalWidth > 0 && document.activeElement.className === "pane"`)
		key := func(name string) {
			t.Helper()
			v.does(fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, name))
		}
		transform := `document.querySelector(".pane img").style.transform`
		for range 3 {
			key("+")
		}
		v.holds(transform + ` === "translate(0px, 0px) scale(3.375)"`)
		key("ArrowRight")
		v.holds(transform + ` === "translate(-60px, 0px) scale(3.375)" && document.querySelector(".zoom [role=status]").textContent === "338 %"`)
		for range 40 {
			key("+")
			key("ArrowLeft")
		}
		v.holds(transform + `.endsWith("scale(16)")`)
		v.holds(`document.querySelector(".pane").getBoundingClientRect().left >= document.querySelector(".pane img").getBoundingClientRect().left`)
		v.picture(fmt.Sprint("zoom-", width))
		v.accessible(script, fmt.Sprint("a picture enlarged, ", width))
		key("0")
		v.does(`document.querySelector(".pane").dispatchEvent(new WheelEvent("wheel", {deltaY: -400, clientX: innerWidth / 2, clientY: 200, bubbles: true, cancelable: true}))`)
		v.holds(transform + `.includes("scale(2.71")`)
		v.press(".zoom .controls button:last-of-type")
		v.holds(`!document.querySelector("dialog") && document.activeElement.matches("figure a")`)
	}
	v.clean()
	d.end()
}

// TestWavesAreBounded: what is too large, or may unpack to any size, is not read; what is damaged has no waveform; and of what is read each sample counts.
func TestWavesAreBounded(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	v := browser(t, d)
	v.open("#/ask", ".ask")
	v.does(`window.made = {}; import("/page/wave.js").then(({ wave }) => {
		const wav = (bits, samples) => {
			const at = new DataView(new ArrayBuffer(44 + samples.length * bits / 8));
			[..."RIFF\0\0\0\0WAVEfmt "].forEach((c, i) => at.setUint8(i, c.charCodeAt(0)));
			at.setUint32(16, 16, true); at.setUint16(20, bits === 32 ? 3 : 1, true); at.setUint16(22, 1, true); at.setUint32(24, 100, true); at.setUint16(34, bits, true);
			[..."data"].forEach((c, i) => at.setUint8(36 + i, c.charCodeAt(0)));
			at.setUint32(40, samples.length * bits / 8, true);
			samples.forEach((s, i) => bits === 16 ? at.setInt16(44 + 2 * i, s * 32767, true) : bits === 8 ? at.setUint8(44 + i, 128 + s * 127) : at.setFloat32(44 + 4 * i, s, true));
			return at.buffer;
		};
		const sine = Array.from({length: 1000}, (_, i) => i < 500 ? 0 : Math.sin(i));
		window.decoded = 0;
		const Real = window.OfflineAudioContext;
		window.OfflineAudioContext = class { constructor() { window.decoded++ } decodeAudioData() { return Promise.reject(new Error("not read")) } };
		const cases = {
			wav16: ["audio/wav", wav(16, sine)], wav8: ["audio/wav", wav(8, sine)], float: ["audio/wav", wav(32, sine)], large: ["audio/wav", wav(16, sine), 17 << 20],
			unsized: ["audio/wav", wav(16, sine), 0], ogg: ["audio/ogg", wav(16, sine)], flac: ["audio/flac", wav(16, sine)], html: ["text/html", wav(16, sine)],
			cut: ["audio/wav", wav(16, sine).slice(0, 30)], bits: ["audio/wav", wav(16, sine).slice(0, 44)], aac: ["audio/mpeg", new Uint8Array([0xff, 0xf1, 0, 0]).buffer],
			ogged: ["audio/mpeg", new TextEncoder().encode("ID3\x04\0\0\0\0\0\0OggS").buffer], mp3: ["audio/mpeg", new Uint8Array([0xff, 0xfb, 0, 0]).buffer], mp3large: ["audio/mpeg", new Uint8Array([0xff, 0xfb, 0, 0]).buffer, 3 << 20],
		};
		const asked = window.fetch;
		(async () => {
			for (const [name, [kind, bytes, size]] of Object.entries(cases)) {
				let read = false;
				window.fetch = async () => ({ ok: true, headers: new Headers({ "Content-Type": kind, "Content-Length": String(size ?? bytes.byteLength) }), body: { cancel() {} }, arrayBuffer: async () => (read = true, bytes) });
				const box = document.createElement("figure"), player = document.createElement("audio");
				box.append(player);
				document.querySelector("main").append(box);
				await wave(player, "x", name, new AbortController().signal);
				const canvas = box.querySelector("canvas");
				const high = (from, to) => { let n = 0; const { data } = canvas.getContext("2d").getImageData(0, 0, 600, 80); for (let x = from; x < to; x++) for (let y = 0; y < 80; y++) n = Math.max(n, data[4 * (600 * y + x) + 3] ? Math.abs(y - 40) : 0); return n; };
				window.made[name] = (read ? "read " : "") + (canvas ? "drawn " + Number(box.querySelector("input").max) + " " + (high(0, 290) < 3) + " " + (high(310, 600) > 30) : "");
			}
			window.fetch = asked; window.OfflineAudioContext = Real;
			window.made.decoded = String(window.decoded);
		})();
	})`)
	v.holds(`window.made.decoded`)
	const drawn = "read drawn 10 true true"
	got := value[map[string]string](v, `window.made`)
	for name, want := range map[string]string{
		"wav16": drawn, "wav8": drawn, "float": drawn, "large": "", "unsized": "", "ogg": "", "flac": "", "html": "", "cut": "read ", "bits": "read ", "aac": "read ", "ogged": "read ", "mp3": "read ",
		"mp3large": "", "decoded": "1",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	d.end()
}
