package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/web"
)

// drawn looks at the map until so many artifacts are on it.
func (d *daemon) drawn(points int) {
	d.t.Helper()
	for deadline := time.Now().Add(hang); d.app.shelves.plane.Status().Points < points; time.Sleep(5 * time.Millisecond) {
		d.get("/api/v1/map", nil)
		if time.Now().After(deadline) {
			d.t.Fatalf("the map never has %d artifacts: %+v", points, d.app.shelves.plane.Status())
		}
	}
}

// walkMap walks the map of the archive, whose daemon has artifacts enough for one.
func (v *viewer) walkMap(d *daemon) {
	t := v.t
	t.Helper()
	defer func(start time.Time) { t.Logf("the map was walked in %v", time.Since(start)) }(time.Now())
	d.drawn(d.app.shelves.plane.Status().Artifacts)
	v.open("#/map", ".map-legend tbody tr")
	v.holds(`document.querySelector(".map-state")?.textContent.includes("Trustworthiness") && document.querySelectorAll(".map-legend tbody tr").length > 3`)
	t.Logf("the map is drawn by %s", value[string](v, `document.querySelector(".plane").dataset.drawn`))
	v.holds(inked)
	// By keys: to the artifact in the middle, to the next one, and to its page.
	key := func(key string) {
		t.Helper()
		v.does(`document.querySelector(".lines").dispatchEvent(new KeyboardEvent("keydown", {key: "` + key + `", bubbles: true, cancelable: true}))`)
	}
	v.does(`document.querySelector(".lines").focus()`)
	key("ArrowRight")
	v.holds(`document.querySelector(".map-chosen a") && document.querySelectorAll(".map-near li").length > 4`)
	first := value[string](v, `document.querySelector(".map-chosen a").title`)
	key("+")
	key("ArrowLeft")
	v.holds(`document.querySelector(".map-chosen a")?.title !== "` + first + `"`)
	v.holds(`/keeps \d+ \(\d+ %\)/.test(document.querySelector(".map-panel p")?.textContent)`)
	v.picture("map")
	v.run(still("dark"))
	v.does(`const s = document.querySelector("#map-colour"); s.value = "type"; s.dispatchEvent(new Event("change"))`)
	v.holds(`document.querySelector(".map-legend thead th").textContent === "type"`)
	v.does(`document.querySelector(".map-legend button").click()`)
	v.holds(`document.querySelectorAll(".map-legend [aria-pressed=true]").length === 1`)
	v.picture("map-dark")
	v.run(still("light"))

	// What arrives is on it without a reload, and can be found from its own page.
	points := value[float64](v, count)
	v.does(`window.stays = true`)
	d.feed(artifact("on-the-map", `"title":"A kilim for the map","culture":["Anatolian"],"type":["kilim"],"material":["wool"]`))
	v.holds(fmt.Sprintf("window.stays && %s === %v", count, points+1))
	v.open("#/artifact/on-the-map", ".id a[href^='#/map']")
	v.does(`document.querySelector(".id a[href^='#/map']").click()`)
	v.holds(`document.querySelector(".map-chosen a")?.textContent === "A kilim for the map"`)

	// Where there is no WebGL, and on a narrow screen.
	v.run(chromedp.EmulateViewport(390, 844))
	v.does(`location.hash = "#/"; window.context = HTMLCanvasElement.prototype.getContext;
		HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === "webgl2" ? null : context.call(this, kind, ...rest) }`)
	v.holds(`document.querySelector(".figures")`)
	v.does(`location.hash = "#/map"`)
	v.holds(`document.querySelector(".plane[data-drawn='2d']") && document.querySelector(".map-legend tbody tr")`)
	v.holds(inked)
	v.holds(`document.documentElement.scrollWidth <= innerWidth`)
	v.picture("map-narrow")
	// Where there is WebGL, and its program can't be made.
	v.does(`location.hash = "#/"; HTMLCanvasElement.prototype.getContext = context; WebGL2RenderingContext.prototype.getProgramParameter = () => false`)
	v.holds(`document.querySelector(".figures")`)
	v.does(`location.hash = "#/map"`)
	v.holds(`document.querySelector(".plane[data-drawn='2d']") && document.querySelector(".map-legend tbody tr") && document.querySelectorAll(".points").length === 1`)
	v.holds(inked)
	v.run(chromedp.EmulateViewport(1400, 1000))
}

// walkThemedMap turns the map to a theme, by the choice of themes: the points go there from where they were, what was chosen stays so, what arrives is placed, and
// back.
func (v *viewer) walkThemedMap(d *daemon) {
	v.t.Helper()
	defer func(start time.Time) { v.t.Logf("the map of a theme was walked in %v", time.Since(start)) }(time.Now())
	const theme = "motif"
	v.open("#/map", ".map-legend tbody tr")
	v.holds(`document.querySelector(".map-state").textContent.includes("Trustworthiness") && document.querySelector("#map-theme").options.length > 2`)
	general := value[float64](v, count)
	var m web.Map
	d.await("the map of the theme is laid out", func() error {
		if d.get("/api/v1/map?theme="+theme, &m); m.Made == nil {
			return errors.New(m.Phase)
		}
		return nil
	})
	id := ""
	for i := 0; id == "" || d.get("/api/v1/map/point?k=1&theme="+theme+"&id="+id, nil) != 200; i++ {
		id = fmt.Sprintf("demo:%08d", i)
	}
	v.does(`location.hash = "#/map?at=` + url.QueryEscape(id) + `"`)
	title := fmt.Sprintf(`document.querySelector(".map-chosen a")?.title === %q`, id)
	v.holds(title)
	v.does(`window.stays = true; window.glided = false;
		new MutationObserver(() => { window.glided ||= "gliding" in document.querySelector(".plane").dataset }).observe(document.querySelector(".plane"), { attributes: true }); ` + choose("#map-theme", theme))
	shown := fmt.Sprintf(`document.querySelector(".map-state").textContent.includes("that have the theme %s, laid out")`, theme)
	v.holds(shown + ` && document.querySelector(".map-state").textContent.includes("Trustworthiness")`)
	v.holds(title + fmt.Sprintf(` && document.querySelector("#map-lines").value === "theme:%s" && /keeps \d+ \(\d+ %%\)/.test(document.querySelector(".map-panel p").textContent)`, theme))
	v.holds(`document.activeElement.id === "map-theme" && location.hash.endsWith("theme=` + theme + `") && !window.glided`) // motion is not wanted
	if code := d.get("/api/v1/map?theme="+theme, &m); code != 200 || float64(m.Points) != value[float64](v, count) || m.Points < 20 || float64(m.Points) > general || m.Trust == nil {
		v.t.Errorf("status %d, %d points of %v, trust %+v", code, m.Points, general, m.Trust)
	}
	v.holds(`(({ width, height }, pen) => pen.getImageData(0, 0, width, height).data.some((x) => x > 0))(document.querySelector(".lines"), document.querySelector(".lines").getContext("2d"))`) // what is chosen is in view
	v.picture("map-theme")

	// One that is like another in it.
	var of struct{ Artifact map[string]any }
	d.get("/api/v1/artifacts/"+url.PathEscape(id), &of)
	of.Artifact["id"] = "on-the-map-of-the-theme"
	record, err := json.Marshal(of.Artifact)
	if err != nil {
		v.t.Fatal(err)
	}
	d.feed(kafka.Message{Value: record})
	v.holds(fmt.Sprintf("window.stays && %s && %s > %d", shown, count, m.Points))
	v.run(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}))
	v.does(choose("#map-theme", ""))
	v.holds(`window.glided && !("gliding" in document.querySelector(".plane").dataset) && document.querySelector("#map-lines").value === "general" && ` + title)
	v.holds(fmt.Sprintf(`%s > %v && window.stays && !%s`, count, general, shown))
	v.does(`history.back()`)
	v.holds(shown)
	v.run(still("light"))
}

// walkCultures walks the heat map of cultures.
func (v *viewer) walkCultures(d *daemon) {
	v.t.Helper()
	defer func(start time.Time) { v.t.Logf("the cultures were walked in %v", time.Since(start)) }(time.Now())
	v.open("#/cultures", ".heat td button")
	v.holds(`document.querySelectorAll(".heat tbody tr").length === 12 && document.querySelectorAll(".heat td button").length === 144 && document.querySelectorAll(".tree polyline").length === 11`)
	v.does(`document.querySelector(".heat [tabindex='0']").focus();
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true})); document.activeElement.click()`)
	v.holds(`document.querySelectorAll(".heat-detail .side a").length > 3 && /over \d+ pairs/.test(document.querySelector(".heat-detail p").textContent)`)
	v.holds(`[...document.querySelectorAll(".heat-detail .side a")].every((a) => !a.textContent.startsWith("demo:"))`)
	v.holds(`document.activeElement.closest(".heat") && document.activeElement.ariaPressed === "true"`)
	v.picture("cultures")

	// It follows what arrives.
	state := `document.querySelector("main .facts").textContent`
	before := value[string](v, state)
	v.does(`window.stays = true`)
	d.feed(artifact("tenfold", `"title":"A kilim of another place","culture":["Anatolian","Anatolian of the map"]`), artifact("eleven", `"title":"A rug of another place","culture":["Anatolian of the map"]`))
	v.holds(fmt.Sprintf("window.stays && %s !== %q && document.querySelectorAll('.heat [aria-pressed=true]').length === 2", state, before))
	v.run(chromedp.EmulateViewport(390, 844), still("dark"))
	v.open("#/cultures?kind=period&k=8", ".heat td button")
	v.holds(`document.documentElement.scrollWidth <= innerWidth && document.querySelectorAll(".heat tbody tr").length === 8`)
	v.does(`document.querySelector(".heat tr:nth-child(2) td button").click()`)
	v.holds(`document.querySelectorAll(".heat-detail .side a").length > 1`)
	v.picture("cultures-narrow")
	v.run(chromedp.EmulateViewport(1400, 1000))
	v.open("#/cultures?kind=culture&k=20", ".heat td button")
	v.picture("cultures-dark")
	v.run(still("light"))
}

// choose has a select take a value, as a person does.
func choose(selector, option string) string {
	return fmt.Sprintf(`{ const s = document.querySelector(%q); s.focus(); s.value = %q; s.dispatchEvent(new Event("change", { bubbles: true })) }`, selector, option)
}

// walkThemedCultures compares cultures in a theme, by the choice of themes: as the API compares them, with what arrives, and back.
func (v *viewer) walkThemedCultures(d *daemon) {
	v.t.Helper()
	const theme = "motif"
	path := "/api/v1/cultures?kind=culture&k=12&theme=" + theme
	cells := func() string {
		var a atlas.Answer
		if code := d.get(path, &a); code != 200 || a.Theme != theme || len(a.Tree.Leaves) == 0 {
			v.t.Fatalf("%s: status %d, %+v", path, code, a)
		}
		of := map[[2]string]float64{}
		for _, c := range a.Cells {
			of[[2]string{c.A, c.B}], of[[2]string{c.B, c.A}] = c.Contrast, c.Contrast
		}
		first, row := a.Tree.Leaves[0], []string{"·"}
		for _, other := range a.Tree.Leaves[1:] {
			row = append(row, strings.Replace(strings.Replace(fmt.Sprintf("%.2f", of[[2]string{first, other}]), "-0.00", "0.00", 1), "-", "−", 1))
		}
		return strings.Join(row, " ")
	}
	shown := `[...document.querySelectorAll(".heat tbody tr:first-child button")].map((b) => b.textContent).join(" ")`
	v.open("#/cultures", ".heat td button")
	v.holds(fmt.Sprintf(`[...document.querySelector("#groups-theme").options].some((o) => o.value === %q)`, theme))
	overall := value[string](v, shown)
	v.does(`window.stays = true; ` + choose("#groups-theme", theme))
	v.holds(fmt.Sprintf(`document.querySelector("h1").textContent === "Cultures in the theme %s" && location.hash.includes("theme=%[1]s")`, theme))
	v.holds(fmt.Sprintf(`%s === %q && document.activeElement.id === "groups-theme"`, shown, cells()))
	v.holds(`document.querySelector("#told").textContent.startsWith("Cultures in the theme")`)
	if overall == value[string](v, shown) {
		v.t.Error("cultures are as near in a theme as overall")
	}
	v.does(`document.querySelector(".heat tbody td:nth-child(3) button").click()`)
	v.holds(`document.querySelectorAll(".heat-detail .side a").length > 1`)
	v.picture("cultures-theme")

	// Two more of a culture that is new in it.
	state := `document.querySelector("main .facts").textContent`
	before := value[string](v, state)
	carried := value[string](v, `document.querySelector(".heat-detail .side a").title`)
	var of struct{ Artifact map[string]any }
	d.get("/api/v1/artifacts/"+url.PathEscape(carried), &of)
	of.Artifact["culture"] = []string{"Anatolian of the theme"}
	for i := range 2 {
		of.Artifact["id"] = fmt.Sprint("in-the-theme-", i)
		record, err := json.Marshal(of.Artifact)
		if err != nil {
			v.t.Fatal(err)
		}
		d.feed(kafka.Message{Value: record})
	}
	v.holds(fmt.Sprintf(`window.stays && %s !== %q && %[1]s.includes("this one")`, state, before))
	v.does(`history.back()`)
	v.holds(`window.stays && document.querySelector("h1").textContent === "Cultures" && document.querySelector("#groups-theme").value === ""`)
	v.does(`location.hash = "#/cultures?theme=gone"`)
	v.holds(`document.querySelector(".problem")?.textContent.includes("gone") && document.querySelector("#groups-theme").value === "gone" && !document.querySelector(".heat td")`)
	v.does(choose("#groups-theme", ""))
	v.holds(`document.querySelector(".heat td") && !document.querySelector(".problem")`)
}

// walkHostileMaps shows on the maps what a hostile record and others of its kind say.
func (v *viewer) walkHostileMaps() {
	v.t.Helper()
	v.open("#/map", ".map-legend tbody tr")
	v.holds(`document.querySelector(".map-legend").textContent.includes("<script>")`)
	v.does(`document.querySelector(".lines").focus(); for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp"])
		document.querySelector(".lines").dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}))`)
	v.holds(`document.querySelectorAll(".map-near li").length === 3`)
	v.picture("hostile-map")
	v.harmless()
	v.open("#/cultures", ".heat td button")
	v.does(`document.querySelector(".heat [tabindex='0']").click()`)
	v.holds(`document.querySelectorAll(".heat-detail .side a").length > 1`)
	v.picture("hostile-cultures")
	v.harmless()
}

// count is the number of points that the page says there are.
const count = `Number(document.querySelector(".map-state").textContent.match(/^\d+/)?.[0])`

// inked: the points are seen. A WebGL canvas can be read in the frame in which it is drawn only, so it is asked for a new one.
const inked = `(() => {
	const canvas = document.querySelector(".points"), copy = document.createElement("canvas").getContext("2d");
	if (!canvas.width) return false;
	if (canvas.dataset.seen) return true;
	dispatchEvent(new Event("resize"));
	document.querySelector(".map-buttons button:nth-child(3)").click();
	requestAnimationFrame(() => {
		copy.canvas.width = canvas.width; copy.canvas.height = canvas.height;
		copy.drawImage(canvas, 0, 0);
		if (copy.getImageData(0, 0, canvas.width, canvas.height).data.some((x) => x > 60)) canvas.dataset.seen = "yes";
	});
	return false;
})()`
