package app

import (
	"bytes"
	"fmt"
	"testing"

	"kilim/daemon/browse"
	"kilim/daemon/web"
)

// TestSlidersInABrowser moves the sliders of themes: the list total is ordered anew at once as the API orders it, what arrives keeps it so, and it goes
// back; each entry tells how many have it in their lists.
func TestSlidersInABrowser(t *testing.T) {
	t.Parallel()
	const works = 40
	cfg := testConfig(t)
	cfg.Themes.Least = 20
	d := start(t, cfg)
	d.feed(newLabelledArchive(1, works).messages(t, 0, works, true)...)
	d.settle(works)
	d.learned(works)
	v := browser(t, d)
	v.open("#/artifact/t%3A1", ".sliders input")
	v.holds(`!document.querySelector(".sliders").hidden && document.querySelectorAll(".sliders input").length === document.querySelectorAll('[data-list^="theme:"]').length`)
	theme := value[string](v, `document.querySelector(".sliders input").dataset.theme`)
	var stored, weighed browse.List
	d.get("/api/v1/artifacts/t%3A1/list", &stored)
	d.get("/api/v1/artifacts/t%3A1/list?weights="+queryEscape(theme)+":1.5", &weighed)
	first := func(list *browse.List) string {
		return fmt.Sprintf(`document.querySelector("[data-list=total] li a").title === %q && document.querySelector("[data-list=total] .score span").textContent === %q`,
			list.Items[0].ID, fmt.Sprintf("%.3f", list.Items[0].Score))
	}
	if stored.Items[0].Score == weighed.Items[0].Score || len(weighed.Items[0].Parts) != 2 || weighed.Items[0].Card == nil {
		t.Errorf("weighed by %s %+v, stored %+v", theme, weighed.Items[0], stored.Items[0])
	}
	slide := func(to float64) string {
		return fmt.Sprintf(`const slider = document.querySelector(".sliders input"); slider.valueAsNumber = %v; slider.dispatchEvent(new Event("input", { bubbles: true }))`, to)
	}
	v.holds(first(&stored))
	for i := range 3 {
		v.does(slide(float64(i+1) / 2))
	}
	v.holds(first(&weighed))
	v.holds(`document.querySelector(".sliders output").textContent === "+1.5" && document.querySelector(".legend").textContent.includes("theme ")`)
	v.picture("sliders")
	var auto web.WeightedAnswer
	d.get("/api/v1/artifacts/t%3A1/similar?list=total&weights=auto", &auto)
	d.get("/api/v1/artifacts/t%3A1/list?weights=auto", &weighed)
	v.does(`document.querySelector(".sliders button").click()`)
	v.holds(first(&weighed) + fmt.Sprintf(` && document.querySelectorAll('.sliders input:not([value="0"])').length === %d`, len(auto.Weights)))
	if len(auto.Weights) == 0 {
		t.Error("no theme applies")
	}
	twin := newLabelledArchive(1, works).messages(t, 1, 2, true)[0]
	twin.Key, twin.Value = []byte("twin"), bytes.Replace(twin.Value, []byte(`"id":"t:1"`), []byte(`"id":"twin"`), 1)
	d.feed(twin)
	v.holds(`document.querySelector("[data-list=general] li a").title === "twin" && document.querySelector("[data-list=total] .bar [class*=part-theme]")`)
	d.settle(works + 1)
	v.does(`document.querySelector(".sliders button:last-of-type").click()`)
	d.get("/api/v1/artifacts/t%3A1/list", &stored)
	v.holds(first(&stored) + ` && document.querySelector(".sliders button:last-of-type").disabled && document.querySelector(".sliders input").valueAsNumber === 0`)
	if stored.Items[0].Holders == 0 {
		t.Error("what is in a list is in nobody's")
	}
	v.holds(fmt.Sprintf(`document.querySelector("[data-list=total] .held").textContent === "in the lists of %d"`, stored.Items[0].Holders))

	v.run(still("dark"))
	v.does(slide(-1))
	v.holds(`document.querySelector(".sliders output").textContent === "−1.0"`)
	v.picture("sliders-dark")
	v.clean()
	d.end()
}
