package app

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// placed are the keys of the nodes of a network with their places.
const placed = `[...document.querySelectorAll(".net li")].map((li) => li.firstChild.dataset.key + " at " + li.style.left + " " + li.style.top).join("\n")`

// walkNetwork walks the network around an artifact, by a link of its page, and that around a culture.
func (v *viewer) walkNetwork(id string) {
	v.t.Helper()
	v.open("#/artifact/"+id, ".id a[href^='#/network']")
	v.press(`.id a[href^='#/network']`)
	v.holds(`document.querySelectorAll(".net a.artifact").length > 4 && document.querySelectorAll(".net a.term").length > 1 && document.querySelectorAll(".net a").length <= 60`)
	v.holds(`document.querySelector(".net .centre").dataset.key === "artifact ` + id + `" && document.querySelectorAll(".net polyline.like").length > 4 && document.querySelectorAll(".net polyline.has").length > 2`)
	v.holds(`[...document.querySelectorAll(".net li")].every((li, i, all) => all.slice(i + 1).every((other) => li.style.left !== other.style.left || li.style.top !== other.style.top))`)
	// The same network again looks the same.
	before := value[string](v, placed)
	v.does(`location.hash = "#/ask"`)
	v.holds(`document.querySelector(".ask")`)
	v.does(`history.back()`)
	v.holds(`document.querySelectorAll(".net a.artifact").length > 4`)
	if again := value[string](v, placed); again != before {
		v.t.Errorf("a network is laid out as\n%s\nand then as\n%s", before, again)
	}
	// By keys: one node takes the focus, arrows go to the others, and the panel tells what each is joined to.
	v.holds(`document.querySelectorAll(".net a[tabindex='0']").length === 1`)
	v.does(`document.querySelector(".net a[tabindex='0']").focus()`)
	for _, way := range []string{"ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"} {
		v.does(`const from = document.activeElement; from.dispatchEvent(new KeyboardEvent("keydown", {key: "` + way + `", bubbles: true, cancelable: true})); window.moved ||= document.activeElement !== from`)
	}
	v.holds(`window.moved`)
	v.holds(`document.activeElement.closest(".net") && document.activeElement.tabIndex === 0 && document.querySelectorAll(".net a[tabindex='0']").length === 1`)
	v.holds(`document.querySelector(".net-panel h2").textContent.endsWith(document.activeElement.title) && document.querySelectorAll(".net-panel li").length === document.querySelectorAll(".net a.joined").length`)
	v.does(`document.querySelector(".net .centre").focus()`)
	v.picture("network")

	// Around the first culture, period or type that artifacts of it have in common, by the panel.
	v.press(`.net-panel a[href^='#/network?culture'], .net-panel a[href^='#/network?type'], .net-panel a[href^='#/network?period']`)
	v.holds(`document.querySelector(".net .centre.term") && document.querySelectorAll(".net a.artifact").length > 1`)
	v.run(chromedp.EmulateViewport(390, 844), still("dark"))
	v.does(`location.hash = "#/ask"`)
	v.holds(`document.querySelector(".ask")`)
	v.does(`history.back()`)
	v.holds(`document.querySelector(".net .centre.term")`)
	v.holds(`document.documentElement.scrollWidth <= innerWidth && (() => {
		const [box, centre] = [".net-box", ".net .centre"].map((of) => document.querySelector(of).getBoundingClientRect());
		return centre.left >= box.left && centre.right <= box.right && document.querySelector(".net-box").scrollWidth <= document.querySelector(".net-box").clientWidth;
	})()`)
	v.picture("network-narrow")
	v.run(chromedp.EmulateViewport(1400, 1000), still("light"))
	if label := value[string](v, `document.querySelector(".net .centre").title`); strings.TrimSpace(label) == "" {
		v.t.Error("a network around nothing")
	}
}
