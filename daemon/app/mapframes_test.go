package app

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"kilim/daemon/browse/projection"
	"kilim/daemon/web"
	"kilim/daemon/web/page"
)

// TestMapFrames prints what the page's map of 200,000 points costs: bytes, the time to the first one that is seen, and the times of frames while it is moved and
// comes nearer. With KILIM_MAP_FRAMES=1 only: its figures are those of the browser and of the machine.
func TestMapFrames(t *testing.T) {
	if os.Getenv("KILIM_MAP_FRAMES") == "" {
		t.Skip("it measures; set KILIM_MAP_FRAMES=1")
	}
	const points = 200_000
	files, err := page.New("test")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	head := binary.LittleEndian.AppendUint64(nil, 1)
	head = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(head, 0), points)
	codes := make([]byte, points)
	for i := range codes {
		codes[i] = byte(1 + rng.IntN(12))
		for _, axis := range []int{3, 5} {
			middle := 8000 + int(codes[i])*axis*7919%48000
			head = binary.LittleEndian.AppendUint16(head, uint16(max(0, min(65534, float64(middle)+2500*rng.NormFloat64()))))
		}
	}
	values := make([]projection.Value, 12)
	for i := range values {
		values[i] = projection.Value{Label: fmt.Sprint("value ", i), Count: points / 12}
	}
	line, err := json.Marshal(web.MapColours{Edition: 1, Field: "culture", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]any{
		"/api/v1/map":         web.Map{Status: projection.Status{Edition: 1, Points: points, Laid: 50_000, Settled: points, Phase: projection.Idle}, Fields: []string{"culture"}},
		"/api/v1/map/points":  head,
		"/api/v1/map/colours": append(append(line, '\n'), codes...),
		"/api/v1/lists":       map[string][]web.ListInfo{"lists": {{Name: "general"}}},
		"/api/v1/live":        []byte{},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch a := answers[r.URL.Path].(type) {
		case []byte:
			_, _ = w.Write(a)
		case nil:
			if !files.Serve(w, r) {
				w.WriteHeader(http.StatusNotFound)
			}
		default:
			_ = json.NewEncoder(w).Encode(a)
		}
	}))
	defer server.Close()
	v := browserOf(t, server.URL+"/")
	for _, kind := range []string{"webgl2", "2d"} {
		v.open("", ".figures")
		if kind == "2d" {
			v.does(`const context = HTMLCanvasElement.prototype.getContext;
				HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === "webgl2" ? null : context.call(this, kind, ...rest) }`)
		}
		v.does(`window.began = performance.now(); location.hash = "#/map"`)
		v.holds(`document.querySelector(".map-legend tbody tr")`)
		v.does(`requestAnimationFrame(() => requestAnimationFrame(() => { window.seen = performance.now() - began }))`)
		v.holds(`window.seen`)
		v.does(`window.frames_ = []; window.busy = 0;
			const canvas = document.querySelector(".lines"), key = (key, shiftKey) => canvas.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey, cancelable: true}));
			let last = 0;
			const step = (at) => {
				if (last) frames_.push(at - last);
				last = at;
				if (frames_.length === 120) { window.moved = true; return }
				if (frames_.length % 2) key("ArrowRight", true); else key(frames_.length % 40 < 20 ? "+" : "-");
				requestAnimationFrame(step);
			};
			requestAnimationFrame(step)`)
		v.holds(`window.moved`)
		t.Logf("%s: %v bytes for %d points and their colours; seen after %.0f ms; frames of %s ms (median, 95th percentile, longest of 120)",
			value[string](v, `document.querySelector(".plane").dataset.drawn`),
			value[float64](v, `performance.getEntriesByType("resource").filter((e) => /map\/(points|colours)/.test(e.name)).slice(-2).reduce((sum, e) => sum + e.encodedBodySize, 0)`),
			points, value[float64](v, `seen`),
			value[string](v, `(() => { frames_.sort((a, b) => a - b); return [60, 114, 119].map((i) => frames_[i].toFixed(0)).join(", ") })()`))
		v.does(`location.hash = "#/"; delete window.moved; delete window.seen`)
	}
}
