package app

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kilim/daemon/browse"
	"kilim/daemon/web"
	"kilim/rerank"
)

// star is a small picture of a lozenge.
func star(t *testing.T) *image.RGBA {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			c := color.RGBA{150, 30, 40, 255}
			if dx, dy := max(x-32, 32-x), max(y-32, 32-y); dx+dy < 24 {
				c = color.RGBA{230, 220, 180, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// song is a WAV of a second, three tones after one another.
func song() []byte {
	const rate = 8000
	var samples []byte
	for i := range rate {
		tone := []float64{440, 523.25, 440}[i*3/rate]
		samples = binary.LittleEndian.AppendUint16(samples, uint16(int16(9000*math.Sin(2*math.Pi*tone*float64(i)/rate))))
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(36+len(samples)))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, 2*rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(samples))), samples...)
}

// bomb is a PNG that says it has 60,000 pixels a side, and packs a few of them.
func bomb(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		body := append([]byte(name), data...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	}
	chunk("IHDR", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 60_000), 60_000), 8, 2, 0, 0, 0))
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return out
}

// cut is a JPEG that ends within its pixels.
func cut(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, star(t), &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()[:out.Len()*2/3]
}

const (
	anSVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned = true"><script>window.owned = true</script></svg>`
	aHTML = `<!DOCTYPE html><body onload="window.owned = true"><script>window.owned = true; alert(1)</script>`
)

// question posts files and, where it is not empty, a record.
func (d *daemon) question(record string, files map[string][]byte) (a web.Asked, code int, text string) {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	put := func(name, file string, data []byte) {
		part, err := form.CreateFormFile(name, file)
		if err == nil {
			_, err = part.Write(data)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	if record != "" {
		put("record", "", []byte(record))
	}
	for name, data := range files {
		put("file", name, data)
	}
	if err := form.Close(); err != nil {
		d.t.Fatal(err)
	}
	_, res, answer := d.request(http.MethodPost, "/api/v1/ask?k=5", form.FormDataContentType(), body.Bytes())
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, &a); err != nil {
			d.t.Fatal(err)
		}
	}
	return a, res.StatusCode, string(answer)
}

// TestAsk: a question is answered with the lists that its artifact would get, by its picture and recording too, and leaves nothing behind; what
// can't be asked about is told by its file's name.
func TestAsk(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 30, 1000
	d := start(t, cfg)
	before := d.settle(cfg.Demo.Artifacts)
	const record = `{"title":"A kilim with a star","material":["wool"]}`
	bare, code, text := d.question(record, nil)
	if code != 200 || len(bare.Lists) != 2 || bare.Lists[0].Name != "total" || len(bare.Lists[0].Items) != 5 || bare.Lists[0].Items[0].Card == nil {
		t.Fatalf("%d %s", code, text)
	}
	picture, sound := pngOf(t, star(t)), song()
	seen, code, text := d.question(record, map[string][]byte{"star.png": picture, "song.wav": sound})
	if code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	media := fmt.Sprintf(`[{"kind":"image","data":%q},{"kind":"audio","data":%q}]`, base64.StdEncoding.EncodeToString(picture), base64.StdEncoding.EncodeToString(sound))
	// POST /api/v1/similar leaves out what is not encoded within two seconds, which a loaded machine may take: it is asked until it has had the time.
	d.await("POST /api/v1/similar answers as an ask", func() error {
		var told web.Answer
		d.send("/api/v1/similar?list=general&k=5", []byte(`{"title":"A kilim with a star","material":["wool"],"media":`+media+`}`), 200, &told)
		if !slices.EqualFunc(seen.Lists[1].Items, told.Items, func(a browse.Item, b rerank.Entry) bool { return a.ID == b.ID && a.Score == float64(b.Score) }) {
			return fmt.Errorf("the list is %+v, and there %+v", seen.Lists[1].Items, told.Items)
		}
		return nil
	})
	if reflect.DeepEqual(seen.Lists, bare.Lists) {
		t.Error("a picture and a recording change nothing")
	}
	for name, c := range map[string]struct {
		data []byte
		code int
		want string
	}{
		"evil.svg": {[]byte(anSVG), 415, "no picture or recording"}, "evil.html": {[]byte(aHTML), 415, "no picture or recording"},
		"cut.jpg": {cut(t), 415, "corrupt"}, "bomb.png": {bomb(t), 415, "too_many_pixels"}, "short.wav": {sound[:60], 415, "corrupt"},
		"large.png": {append(picture, make([]byte, 16<<20)...), 413, "larger than"},
	} {
		_, code, text := d.question(record, map[string][]byte{name: c.data})
		if code != c.code || !strings.Contains(text, c.want) || code == 415 && !strings.Contains(text, name) {
			t.Errorf("%s: %d %s, want %d %s", name, code, text, c.code, c.want)
		}
	}
	if _, code, text := d.question(`{"title":"`+strings.Repeat("x", 1<<20)+`"}`, nil); code != 413 {
		t.Errorf("a title of 1 MiB: %d %.200s", code, text)
	}
	if after := d.settle(cfg.Demo.Artifacts); !reflect.DeepEqual(after.Media, before.Media) || !reflect.DeepEqual(after.Nodes, before.Nodes) || !reflect.DeepEqual(after.Edges, before.Edges) ||
		after.Records.Consumed != before.Records.Consumed || after.Index != before.Index { // its revision may be another: cells of cultures are told when there is time
		t.Errorf("questions changed the state: %+v, it was %+v", after, before)
	}
	d.end()
}

// dropped is a script that drops a file on an element of the page.
func dropped(on, name, kind string, data []byte) string {
	return fmt.Sprintf(`const files = new DataTransfer();
		files.items.add(new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], %q, { type: %q }));
		document.querySelector(%q).dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }))`,
		base64.StdEncoding.EncodeToString(data), name, kind, on)
}

// TestAskInABrowser asks with a picture, a recording and a text, by dropping, choosing and typing, and with what is meant to do harm.
func TestAskInABrowser(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 40, 1000
	d := start(t, cfg)
	v := browser(t, d)
	d.settle(cfg.Demo.Artifacts)
	v.open("#/ask", "form.ask")
	v.does(`window.owned = false; window.stays = true`)
	v.holds(`document.querySelector("nav [aria-current]").textContent === "Ask" && document.querySelector(".lists").hidden`)
	v.does(`document.querySelector(".ask button:not([type])").click()`)
	v.holds(`document.querySelector(".ask .problem")?.textContent.includes("empty query")`)

	v.does(dropped("form.ask", "star.png", "image/png", pngOf(t, star(t))))
	v.holds(`document.querySelectorAll(".files li").length === 1 && !document.querySelector(".ask .problem")`)
	v.does(`document.querySelector("#ask-text").value = "A woven carpet"; document.querySelector("#ask-title").value = "A kilim"; document.querySelector("#ask-material").value = "wool; goat hair"`)
	v.does(`document.querySelector(".ask button:not([type])").click()`)
	v.holds(`document.querySelectorAll(".lists .list li").length >= 10 && document.querySelectorAll(".lists img.thumb").length > 0`)
	v.does(`document.querySelector(".lists summary").click()`)
	v.holds(`document.querySelector(".why table td") && !document.querySelector(".judge")`)
	v.holds(`[...document.querySelectorAll(".lists img")].slice(0, 4).every((i) => i.complete && i.naturalWidth > 0)`)
	v.picture("ask")

	// It is asked again from now on, and what stands is told as what is asked is; its name is refused when it is none, and another time it is not asked any more.
	keep := func(name string) {
		v.does(fmt.Sprintf(`document.querySelector("#query-name").value = %q; document.querySelector(".standing form button").click()`, name))
	}
	keep("Not A Name")
	v.holds(`document.querySelector("#query-name:invalid") && !document.querySelector(".standing li")`)
	keep("carpet.one")
	v.holds(`document.querySelector('[data-query="carpet.one"]') && document.querySelector("#query-name").value === ""`)
	var query web.StandingQuery
	d.get("/api/v1/queries/carpet.one", &query)
	for _, want := range []string{`"title":"A kilim"`, `"material":["wool","goat hair"]`, `"kind":"image"`, `"text":"A woven carpet"`} {
		if !strings.Contains(string(query.Record), want) {
			t.Errorf("the query is %.300s: %s is missing", query.Record, want)
		}
	}
	v.does(`window.first = document.querySelector(".lists .list li a").href; document.querySelector(".lists").replaceChildren(); document.querySelector("[data-query] button").click()`)
	v.holds(`document.querySelector(".lists .list li a")?.href === window.first`)
	v.does(`document.querySelector("h1").scrollIntoView()`)
	v.picture("standing")
	v.does(`document.querySelector("[data-query] button:last-of-type").click()`)
	v.holds(`!document.querySelector("[data-query]") && document.querySelector(".standing .facts").textContent.startsWith("0 of")`)
	if code := d.get("/api/v1/queries/carpet.one", &query); code != http.StatusNotFound {
		t.Errorf("the query that was ended: %d", code)
	}

	// A recording by the picker, then it is removed by the keyboard's button.
	v.does(fmt.Sprintf(`const files = new DataTransfer(), picker = document.querySelector("#ask-files");
		files.items.add(new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], "song.wav", { type: "audio/wav" }));
		picker.files = files.files;
		picker.dispatchEvent(new Event("change"))`, base64.StdEncoding.EncodeToString(song())))
	v.holds(`document.querySelectorAll(".files li").length === 2`)
	v.does(`document.querySelectorAll(".files button")[0].focus(); document.activeElement.click()`)
	v.holds(`document.querySelectorAll(".files li").length === 1 && document.activeElement.id === "ask-files"`)
	v.does(`document.querySelector(".lists").replaceChildren(); document.querySelector(".ask button:not([type])").click()`)
	v.holds(`document.querySelectorAll(".lists .list li").length >= 10`)
	v.does(`document.querySelector(".files button").click()`)

	for _, c := range []struct {
		name, kind, told string
		data             []byte
	}{
		{"evil.svg", "image/svg+xml", "evil.svg: no picture", []byte(anSVG)}, {"evil.png", "image/png", "evil.png: no picture", []byte(aHTML)},
		{`<img src=x onerror=window.owned=true>.jpg`, "image/jpeg", `<img src=x onerror=window.owned=true>.jpg: corrupt`, cut(t)},
		{"bomb.png", "image/png", "bomb.png: too_many_pixels", bomb(t)},
	} {
		v.does(dropped("form.ask textarea", c.name, c.kind, c.data))
		v.holds(`document.querySelectorAll(".files li").length === 1`)
		v.does(`document.querySelector(".ask button:not([type])").click()`)
		v.holds(fmt.Sprintf(`document.querySelector(".ask .problem")?.textContent.startsWith(%q) && !document.querySelector(".ask button:not([type])").disabled`, c.told))
		v.does(`document.querySelector(".files button").click()`)
	}
	v.does(strings.Replace(dropped("form.ask", "large.png", "image/png", nil), `Uint8Array.from(atob(""), (c) => c.charCodeAt(0))`, `new Uint8Array(17 << 20)`, 1))
	v.holds(`document.querySelector(".ask .problem").textContent.startsWith("large.png is too large")`)
	// Beside the form nothing is opened, and a text file is read.
	v.does(dropped("h1", "evil.html", "text/html", []byte(aHTML)))
	v.does(dropped("form.ask", "poem.txt", "text/plain", []byte("گلیم")))
	v.holds(`document.querySelector("#ask-text").value.endsWith("گلیم") && window.stays && !window.owned`)
	v.does(`document.querySelector("#ask-title").value = "x".repeat(1 << 20); document.querySelector(".ask button:not([type])").click()`)
	v.holds(`document.querySelector(".ask .problem").textContent.includes("record has more than")`)
	v.does(`document.querySelector("#ask-title").value = ""`)
	v.clean()
	d.end()
}
