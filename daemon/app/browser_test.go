package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/web"
)

// viewer is a real browser that looks at a daemon. It notes whatever a page should not do.
type viewer struct {
	t    *testing.T
	ctx  context.Context
	home string

	lock sync.Mutex
	// foreign are requests of other hosts, wrong errors of scripts, refusals by the policy and opened dialogs.
	foreign, wrong []string
}

// browser starts a browser, or skips the test where there is none.
func browser(t *testing.T, d *daemon) *viewer {
	t.Helper()
	return browserOf(t, "http://"+d.app.HTTP().String()+"/")
}

func browserOf(t *testing.T, home string) *viewer {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed: apt-get install chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1400, 1000))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	v := &viewer{t: t, ctx: ctx, home: home}
	if err := chromedp.Listen(ctx, v.note); err != nil {
		t.Fatal(err)
	}
	// Several browsers run beside each other, of which one has the focus of the screen: without it elements get no events of focus.
	v.run(still("light"), command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}), command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}))
	return v
}

func (v *viewer) note(event any) {
	v.lock.Lock()
	defer v.lock.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// The browser's own player has icons in data: addresses.
		if !strings.HasPrefix(e.Request.URL, v.home) && !strings.HasPrefix(e.Request.URL, "data:image/svg+xml") {
			v.foreign = append(v.foreign, e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		v.wrong = append(v.wrong, thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		// A picture that is no picture is answered 415 or 404, and the page shows a sign in its place. Rendering tells of drivers.
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Source != log.EntrySourceRendering {
			v.wrong = append(v.wrong, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening:
		v.wrong = append(v.wrong, "dialog: "+e.Message)
	}
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

// clean holds that nothing was asked of others, and nothing went wrong, since the start.
func (v *viewer) clean() {
	v.t.Helper()
	v.lock.Lock()
	defer v.lock.Unlock()
	if len(v.foreign)+len(v.wrong) > 0 {
		v.t.Errorf("asked of others: %q; went wrong: %q", v.foreign, v.wrong)
	}
}

func (v *viewer) run(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, hang)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// command is a command of the protocol whose answer does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// still has the page shown in light or dark colours, and without motion.
func still(colours string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: colours}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// value is that of an expression in the page.
func value[T any](v *viewer, expression string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, hang)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return out
}

// does evaluates an expression for what it does.
func (v *viewer) does(expression string) {
	v.t.Helper()
	value[bool](v, "(() => { "+expression+"; return true })()")
}

// press clicks an element once it is there: one that was there before may be gone while lists are shown anew.
func (v *viewer) press(selector string) {
	v.t.Helper()
	v.holds(fmt.Sprintf("(() => { const found = document.querySelector(%q); found?.click(); return found })()", selector))
}

// open goes to a view, and waits until it has an element.
func (v *viewer) open(address, has string) {
	v.t.Helper()
	v.run(chromedp.Navigate(v.home + address))
	v.holds(fmt.Sprintf("document.querySelector(%q)", has))
}

// holds waits until an expression is true in the page; one that throws, as of an element that is shown only for a while, is not true yet.
// (chromedp.Poll makes a function of a string there, which the page's policy forbids.)
func (v *viewer) holds(expression string) {
	v.t.Helper()
	for deadline := time.Now().Add(hang); ; time.Sleep(20 * time.Millisecond) {
		verdict := value[string](v, "(() => { try { return String(Boolean("+expression+")) } catch (e) { return String(e) } })()")
		if verdict == "true" {
			return
		}
		if time.Now().After(deadline) {
			v.picture("failed")
			v.t.Fatalf("never: %s: %s\n%s", expression, verdict, value[string](v, "document.body.innerText.slice(0, 3000)"))
		}
	}
}

// picture keeps what the view looks like, where KILIM_SCREENSHOTS names a folder.
func (v *viewer) picture(name string) {
	v.t.Helper()
	dir := os.Getenv("KILIM_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// TestPageInABrowser walks the page's views on the demo archive.
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 150, 1000
	cfg.Themes.Least = 20
	d := start(t, cfg)
	v := browser(t, d)
	d.settle(cfg.Demo.Artifacts)

	v.open("#/", ".feed li")
	v.holds(`document.querySelectorAll(".figures dd").length >= 7 && document.querySelectorAll(".feed img").length > 3`)
	v.holds(`document.querySelectorAll(".rates .uplot canvas").length === 4 && [...document.querySelectorAll(".rates figcaption .facts")].slice(0, 3).every((f) => /^now .*, at most /.test(f.textContent))`)
	v.picture("live")

	v.open("#/search?q=kilim", ".cards li")
	v.holds(`document.querySelector("#by-culture").options.length > 3`)
	v.press(`input[value=picture]`)
	v.holds(`location.hash.includes("has=picture") && document.querySelectorAll(".cards img.thumb").length > 2 &&
		[...document.querySelectorAll(".cards li")].every((li) => li.querySelector("img"))`)
	v.holds(`[...document.querySelectorAll(".cards img")].slice(0, 4).every((i) => i.complete && i.naturalWidth > 0)`)
	v.picture("search")

	v.open(value[string](v, `document.querySelector(".cards a").getAttribute("href")`), ".lists .list li")
	v.holds(`document.querySelectorAll(".lists .list").length >= 2 && document.querySelector("figure img").naturalWidth > 0`)
	v.holds(`[...document.querySelectorAll(".list .what > a")].every((a) => a.textContent.length > 3 && !a.textContent.startsWith("demo:"))`)
	v.holds(`[...document.querySelectorAll("[data-list=total] li")].every((li) => {
		const shown = [...li.querySelectorAll(".bar span")].reduce((sum, s) => sum + parseFloat(s.style.width), 0);
		return Math.abs(shown - 100 * parseFloat(li.querySelector(".score span").textContent) / parseFloat(document.querySelector("[data-list=total] .score span").textContent)) < 1.5;
	})`)
	v.press(`.list summary`)
	v.holds(`document.querySelector(".why table") && document.querySelectorAll(".why li").length > 0`)
	v.picture("artifact")
	v.holds(`document.querySelectorAll(".why .met > ul li").length > 0 && document.querySelectorAll(".met .uplot canvas").length === 1 && document.querySelectorAll(".met figure li .key").length > 0`)
	v.walkHistory(d)

	// A judgment is made, and taken back; it is the daemon's own that tells.
	said := func() (n int) {
		var out struct{ Judgments []struct{ Grade float64 } }
		if code := d.get("/api/v1/judgments", &out); code != 200 {
			t.Errorf("judgments: status %d", code)
		}
		return len(out.Judgments)
	}
	v.holds(`document.querySelectorAll(".judge button").length === 3`)
	v.press(`.judge button`)
	v.holds(`document.querySelector(".judge .facts")?.textContent === "alike, says the page" && document.querySelector(".judge button:nth-of-type(3)")?.hidden === false`)
	if n := said(); n != 1 {
		t.Errorf("%d judgments", n)
	}
	v.press(`.judge button:nth-of-type(3)`)
	v.holds(`document.querySelector(".judge button:nth-of-type(3)")?.hidden`)
	if n := said(); n != 0 {
		t.Errorf("%d judgments are left", n)
	}
	topic := d.read(cfg.Kafka.Topics.Judgments)
	if len(topic) != 2 || !strings.Contains(string(topic[0].Value), `"grade":1`) || topic[1].Value != nil || !bytes.Equal(topic[0].Key, topic[1].Key) {
		t.Errorf("the topic has %v", topic)
	}

	v.walkMap(d)
	v.walkThemedMap(d)
	v.walkCultures(d)
	v.walkThemedCultures(d)
	v.walkNetwork("tenfold")

	// One in another script, on a narrow dark screen.
	v.run(chromedp.EmulateViewport(390, 844), still("dark"))
	v.open("#/search?q="+url.QueryEscape("گلیم"), ".cards li")
	v.press(`.cards a`)
	v.holds(`document.querySelector(".lists .list li")`)
	v.holds(`getComputedStyle(document.querySelector("h1")).direction === "rtl" && document.querySelector("h1").lang === "fa"`)
	v.holds(`document.documentElement.scrollWidth <= innerWidth`)
	v.picture("narrow")
	v.clean()
	d.end()
}

// TestPageIsUpdatedWithoutReload: what arrives is shown where somebody looks, and so is what it changes.
func TestPageIsUpdatedWithoutReload(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	v := browser(t, d)
	d.feed(kilims(0, 5, "")...)
	d.settle(5)
	v.open("#/ask", ".ask")
	// The page's own stream tells what it has got: another one may be ahead of it.
	v.does(`window.stays = true; window.got = []; window.EventSource = class extends EventSource {
		constructor(...of) { super(...of); this.addEventListener("change", (e) => window.got.push(JSON.parse(e.data).id)) }
	}`)
	v.does(`location.hash = "#/"`)
	v.holds(`document.querySelector('.feed li[data-id="a/4"]')`)
	d.feed(artifact("newcomer", `"title":"A kilim of a newcomer","culture":["Anatolian"],"material":["wool"]`))
	v.holds(`window.stays && document.querySelector(".feed li.own[data-id=newcomer] .head")?.innerText.includes("A kilim of a newcomer")`)

	// What comes in a pause is shown after it, the latest first, as far as there is room.
	v.press(".controls button")
	feed := `[...document.querySelectorAll(".feed li.own")].map((li) => li.dataset.id)`
	before := value[int](v, feed+".length")
	d.feed(kilims(5, 80, "")...)
	d.settle(81)
	v.holds(`window.got.includes("a/79")`)
	if n := value[int](v, feed+".length"); n != before {
		t.Errorf("%d are shown in a pause, and were %d", n, before)
	}
	v.does(`new MutationObserver((_, o) => { window.shown = ` + feed + `; o.disconnect() }).observe(document.querySelector(".feed"), {childList: true})`)
	v.press(".controls button")
	v.holds(`window.shown?.slice(0, 75).join() === Array.from({length: 75}, (_, i) => "a/" + (79 - i)).join()`)

	v.does(`location.hash = "#/artifact/newcomer"`)
	v.holds(`document.querySelector(".lists .list li")`)
	d.feed(artifact("twin", `"title":"A kilim of a newcomer","culture":["Anatolian"],"material":["wool"]`))
	v.holds(`window.stays && document.querySelector("[data-list=total] li .what > a")?.title === "twin"`)
	v.clean()
	d.end()
}

// TestReasonsStay: when lists are shown anew, the reasons of an entry are asked for again when that entry is another, and only then; what is open stays open.
func TestReasonsStay(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	v := browser(t, d)
	d.feed(kilims(0, 3, "")...)
	d.settle(3)
	v.open("#/search", ".cards li")
	v.does(`import("/page/lists.js").then((m) => {
		window.section = document.createElement("section");
		document.querySelector("main").append(section);
		window.items = (score) => [{ name: "total", items: [{ id: "a/1", score: 0.5, parts: { words: 0.5 }, holders: score * 10 }, { id: "a/2", score, parts: { words: score } }] }];
		window.shows = (score) => m.showLists(section, "a/0", items(score));
		shows(0.4);
	})`)
	asked := `performance.getEntriesByType("resource").filter((e) => e.name.includes("/why?")).length`
	v.holds(`window.section?.querySelectorAll("details").length === 2`)
	v.does(`for (const d of section.querySelectorAll("details")) d.open = true`)
	v.holds(asked + ` === 2 && section.querySelectorAll(".judge input").length === 2`)
	v.does(`section.querySelector(".judge input").value = "halfway th"; section.querySelector(".judge input").focus(); shows(0.3)`)
	v.holds(asked + ` === 3 && section.querySelectorAll("details[open] .judge input").length === 2`)
	v.holds(`document.activeElement === section.querySelector(".judge input") && document.activeElement.value === "halfway th"`)
	v.holds(`section.querySelector("li").textContent.includes("in the lists of 3") && section.querySelectorAll(".why caption")[1].textContent.includes("0.300")`)
	v.clean()
	d.end()
}

// hostile is a record of which every text is meant to do something in a browser.
func hostile(t *testing.T) kafka.Message {
	t.Helper()
	const script = `<script>window.owned = true; alert(1)</script><img src=x onerror="window.owned = true; alert(2)">`
	data := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	svg := `<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned = true; alert(3)"><script>window.owned = true</script></svg>`
	record, err := json.Marshal(map[string]any{
		"id": `"><script>window.owned = true</script>`, "title": `&lt;script&gt;window.owned = true&lt;/script&gt; "'><b onclick=alert(4)> ` + "\u202egnp.exe\u202c \u2066" + strings.Repeat("long ", 100_000),
		"description": script, "language": `en" onmouseover="window.owned = true`,
		"culture": []any{script, map[string]string{"id": "javascript:window.owned=true", "label": "javascript:window.owned=true"}},
		"period":  []string{"\u202e" + script}, "type": []string{`{{constructor.constructor("window.owned = true")()}}`},
		"theme": map[string][]string{script: {script}},
		"link":  []map[string]string{{"type": script, "target": "javascript:window.owned=true"}},
		"media": []map[string]string{
			{"kind": "image", "data": data(svg), "media_type": "image/svg+xml"},
			{"kind": "image", "data": data("<html><body onload=alert(5)>" + script), "media_type": "text/html"},
			{"kind": "audio", "data": data("<html>" + script), "media_type": "text/html"},
			{"kind": "image", "uri": "javascript:alert(6)"}, {"kind": "image", "uri": "https://evil.example/x.png"},
			{"kind": "text", "text": script, "language": "ar"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Message{Value: record}
}

// harmless holds that what is shown does nothing and leads nowhere else.
func (v *viewer) harmless() {
	v.t.Helper()
	for _, expression := range []string{
		`!window.owned`, `document.querySelectorAll("main script, main iframe, main object, main embed, main [onclick], main [onload], main [onerror]").length === 0`,
		`[...document.querySelectorAll("main a")].every((a) => a.protocol === "http:" && a.host === location.host)`,
	} {
		v.holds(expression)
	}
}

// TestHostileRecordInABrowser: it is shown in every view, and does nothing.
func TestHostileRecordInABrowser(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	v := browser(t, d)
	v.open("#/", ".figures div")
	v.does(`window.owned = false; window.opened = 0`)
	bad := hostile(t)
	d.feed(bad)
	for i := range 3 {
		d.feed(artifact(fmt.Sprintf("plain-%d", i), `"title":"A plain one","culture":["<script>window.owned = true; alert(1)</script>","\"><img src=x onerror=alert(2)>"]`))
	}
	d.until("all are there", func(s *web.Status) bool { return s.Artifacts == 4 && s.Lag == 0 && s.Outbox == 0 })
	var named struct{ ID string }
	if err := json.Unmarshal(bad.Value, &named); err != nil {
		t.Fatal(err)
	}
	address := "#/artifact/" + url.PathEscape(named.ID)
	v.holds(`document.querySelectorAll(".feed li.own").length >= 4`)
	v.open("#/search", ".cards li")
	v.holds(`document.querySelectorAll(".cards li").length === 4`)
	v.picture("hostile-search")
	v.open(address, "article h1")
	v.holds(`document.querySelectorAll("figure .none").length === 4`) // the pictures; the recording is asked for when it is played
	v.does(`document.querySelector("audio").load(); document.querySelector("audio").play().catch(() => {})`)
	v.holds(`document.querySelectorAll("figure .none").length === 5`)
	v.picture("hostile")
	v.harmless()
	for _, expression := range []string{
		`document.querySelector("h1").textContent.length < 300 && !/[\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent)`,
		`document.querySelector("h1").lang === ""`,
	} {
		v.holds(expression)
	}
	v.walkHostileMaps()
	v.open("#/network?id="+url.QueryEscape(named.ID), ".net a")
	v.holds(`document.querySelectorAll(".net a.artifact").length === 4 && document.querySelector(".net").textContent.includes("<script>")`)
	v.picture("hostile-network")
	v.harmless()
	// As pages of their own, they are nothing either.
	for place := range 5 {
		path := fmt.Sprintf("/api/v1/artifacts/%s/media/%d", url.PathEscape(named.ID), place)
		if code := d.get(path, nil); code != 415 {
			t.Errorf("%s: status %d", path, code)
		}
	}
	v.lock.Lock()
	v.wrong = slices.DeleteFunc(v.wrong, func(w string) bool { return strings.Contains(w, "NotSupportedError") })
	v.lock.Unlock()
	v.clean()
	d.end()
}
