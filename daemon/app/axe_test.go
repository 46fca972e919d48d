package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeHash is that of testdata/axe-core/axe.min.js.
const axeHash = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("testdata/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeHash {
		t.Fatalf("axe.min.js has the hash %x, want %s", sum, axeHash)
	}
	return string(script)
}

// violation is what axe-core says of a rule that some elements break.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         []any
		FailureSummary string
	}
}

// looked are the rules that colours and the width of the screen matter to; the others hold of a view or not.
var looked = []string{"color-contrast", "scrollable-region-focusable", "target-size"}

// beyond are the elements that end beyond the right edge of the screen, but for those that something within it scrolls.
const beyond = `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 &&
	!e.closest(".hidden, svg") && ![...(function* () { for (let p = e.parentElement; p; p = p.parentElement) yield p })()].some((p) => /auto|scroll|hidden/.test(getComputedStyle(p).overflowX))
	).slice(0, 4).map((e) => e.tagName + "." + e.className + " " + (e.id || e.textContent.slice(0, 30))).join("; ")`

// violations has axe-core look at the view that is shown, by all rules unless some are named.
func (v *viewer) violations(script string, rules ...string) []violation {
	v.t.Helper()
	if !value[bool](v, `Boolean(window.axe)`) {
		v.does(script) // by the debugger's protocol it gets past the page's policy, which it must not weaken
	}
	only, err := json.Marshal(rules)
	if err != nil {
		v.t.Fatal(err)
	}
	v.does(`window.axed = ""; axe.run(document, { resultTypes: ["violations"], runOnly: ` + string(only) + ` ?? undefined }).then((r) => { window.axed = JSON.stringify({ checked: r.passes.length, violations: r.violations }) }, (e) => { window.axed = String(e) })`)
	v.holds(`window.axed`)
	least := 10
	if len(rules) > 0 {
		least = 1
	}
	var report struct {
		Checked    int
		Violations []violation
	}
	if text := value[string](v, "window.axed"); json.Unmarshal([]byte(text), &report) != nil || report.Checked < least {
		v.t.Fatalf("axe-core looked at %d rules: %.300s", report.Checked, text)
	}
	return report.Violations
}

// accessible wants nothing serious or critical in a view.
func (v *viewer) accessible(script, view string, rules ...string) {
	v.t.Helper()
	for _, w := range v.violations(script, rules...) {
		for _, node := range w.Nodes {
			say := v.t.Logf
			if w.Impact == "serious" || w.Impact == "critical" {
				say = v.t.Errorf
			}
			say("%s: %s (%s): %s: %v: %s", view, w.ID, w.Impact, w.Help, node.Target, strings.Join(strings.Fields(node.FailureSummary), " "))
		}
	}
}

// TestPageIsAccessible has axe-core find nothing serious or critical in any view, wide and narrow, light and dark.
func TestPageIsAccessible(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Demo.Artifacts, cfg.Demo.Rate = 40, 1000
	d := start(t, cfg)
	v := browser(t, d)
	d.settle(cfg.Demo.Artifacts)
	script := axe(t)
	v.open("#/", ".feed li")
	views := value[[]string](v, `[...document.querySelectorAll("nav [data-view]")].map((a) => a.getAttribute("href"))`)
	if !slices.Contains(views, "#/ask") {
		t.Errorf("views %q", views)
	}
	for _, colours := range []string{"light", "dark"} {
		var rules []string // all of them
		if colours == "dark" {
			v.run(chromedp.EmulateViewport(390, 844))
			rules = looked
		}
		v.run(still(colours))
		for _, view := range append(slices.Clone(views), "#/search?q=kilim&culture=gone", "#/artifact/gone", "#/nothing") {
			v.open(view, "main h1")
			if view == "#/" {
				v.holds(`document.querySelector(".figures dd")`)
			}
			if view == "#/ask" {
				v.does(`document.querySelector(".ask details").open = true; document.querySelector("#ask-text").value = "a woven kilim"; document.querySelector(".ask button:not([type])").click()`)
				v.holds(`document.querySelector(".lists .list li")`)
				v.does(dropped("form.ask", "star.png", "image/png", pngOf(t, star(t))))
				v.holds(`document.querySelector(".files li")`)
			}
			v.accessible(script, view+" "+colours, rules...)
			if wide := value[string](v, beyond); wide != "" {
				t.Errorf("%s %s: wider than the screen: %s", view, colours, wide)
			}
		}
		// One with a picture, the first reason opened.
		v.open("#/search?has=picture", ".cards li img")
		v.does(`location.hash = document.querySelector(".cards a").getAttribute("href")`)
		v.holds(`document.querySelector(".lists .list li") && document.querySelector("figure img")`)
		v.does(`document.querySelector(".list summary").click()`)
		v.holds(`document.querySelector(".judge button")`)
		v.picture("accessible-" + colours)
		v.accessible(script, "#/artifact "+colours, rules...)
		v.press(`.id a[href^='#/network']`)
		v.holds(`document.querySelectorAll(".net a").length > 5`)
		v.accessible(script, "#/network "+colours, rules...)
		if wide := value[string](v, beyond); wide != "" {
			t.Errorf("#/network %s: wider than the screen: %s", colours, wide)
		}
	}
	v.does(`document.querySelector("h1").style.color = "#333"; document.documentElement.removeAttribute("lang")`)
	var found []string
	for _, w := range v.violations(script) {
		found = append(found, w.ID+" "+w.Impact)
	}
	if !slices.Contains(found, "color-contrast serious") || !slices.Contains(found, "html-has-lang serious") {
		t.Errorf("on a page that was spoiled axe-core finds %q", found)
	}
	v.clean()
	d.end()
}
