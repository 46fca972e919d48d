package app

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/web"
)

// walkedRecords of the real archive are walked.
const walkedRecords = "600"

// TestWaltersInABrowser walks the page's views on the head of a real archive, whose pictures can't be had: there the demo's tidy records hide what
// a curator would see.
func TestWaltersInABrowser(t *testing.T) {
	t.Parallel()
	lines, records := realFeed(t, walkedRecords)
	d := start(t, testConfig(t))
	v := browser(t, d)
	var messages []kafka.Message
	for line := range bytes.Lines(lines) {
		messages = append(messages, kafka.Message{Value: bytes.TrimSpace(line)})
	}
	d.feed(messages...)
	d.until("all is in, and the media are answered", func(s *web.Status) bool { return s.Artifacts == records && s.Lag == 0 && s.Outbox == 0 })
	defer func(start time.Time) { t.Logf("%d artifacts were walked in %v", records, time.Since(start)) }(time.Now())

	v.open("#/", ".feed li")
	v.holds(`document.querySelectorAll(".feed li").length > 10`)
	v.picture("walters-live")

	v.open("#/search?q="+url.QueryEscape("butterfly scroll"), ".cards li")
	v.holds(`document.querySelectorAll("#by-culture option").length > 1 && document.querySelectorAll("#by-type option").length > 10`)
	v.picture("walters-search")

	v.open("#/artifact/"+url.PathEscape("walters:22764"), ".lists .list li")
	v.holds(`document.querySelector("h1").textContent === "Cabbages and Butterflies" && document.querySelectorAll("[data-list=total] li").length >= 5`)
	v.holds(`[...document.querySelectorAll(".list .what > a")].every((a) => a.textContent.length > 3 && !a.textContent.startsWith("walters:"))`)
	v.holds(`document.querySelector("figure .none")?.textContent.includes("http://static.thewalters.org/images/PS1_35.25_Fnt_DD_T07.jpg")`)
	v.press(`.list summary`)
	v.holds(`document.querySelector(".why table")`)
	v.picture("walters-artifact")

	v.press(`.id a[href^='#/network']`)
	v.holds(`document.querySelectorAll(".net a.artifact").length > 8 && document.querySelectorAll(".net a.term").length > 8`)
	v.picture("walters-network")

	d.drawn(records)
	v.open("#/map", ".map-legend tbody tr")
	v.holds(fmt.Sprintf(`document.querySelector(".map-state")?.textContent.includes("Trustworthiness") && %s === %d`, count, records))
	v.does(`const s = document.querySelector("#map-colour"); s.value = "type"; s.dispatchEvent(new Event("change"))`)
	v.holds(`document.querySelector(".map-legend thead th").textContent === "type" && document.querySelectorAll(".map-legend tbody tr").length > 5`)
	v.does(`document.querySelector(".lines").focus();
		document.querySelector(".lines").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true}))`)
	v.holds(`document.querySelector(".map-chosen a") && document.querySelectorAll(".map-near li").length === 15`)
	v.picture("walters-map")

	v.open("#/cultures?kind=place&k=12", ".heat td button")
	v.holds(`document.querySelector("h1").textContent === "Places" && [...document.querySelectorAll(".heat th[scope=row]")].every((th) => {
		const [row, count] = [th.getBoundingClientRect(), th.querySelector(".count").getBoundingClientRect()];
		return count.left >= row.left && count.right <= row.right + 1;
	})`)
	v.does(`document.querySelector(".heat [tabindex='0']").click()`)
	v.holds(`document.querySelectorAll(".heat-detail .side a").length > 3`)
	v.picture("walters-places")

	v.open("#/ask", ".ask")
	v.does(`document.querySelector("#ask-text").value = "a hanging scroll with butterflies"; document.querySelector(".ask button:not([type])").click()`)
	v.holds(`document.querySelectorAll(".lists .list li").length > 5`)
	v.picture("walters-ask")
	v.clean()
	d.end()
}
