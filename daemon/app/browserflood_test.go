package app

import (
	"fmt"
	"testing"
	"time"

	"kilim/rerank"
	"kilim/rerank/publish"
)

// TestFloodInABrowser: however much comes at once, the live page has few rows, what arrived before what only changed, and says of how much it shows nothing.
func TestFloodInABrowser(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	v := browser(t, d)
	v.open("#/", ".feed")
	v.holds(`document.querySelector(".controls .facts").textContent === ""`)
	update := func(id string, own bool) publish.Published {
		lists := rerank.Lists{{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "liked", Score: 1}}}}
		return publish.Published{Kind: rerank.KindUpdate, ID: id, Own: own, Recorded: time.Now(), Update: &rerank.Update{ID: id, Lists: lists, Changes: rerank.DiffAll(nil, lists), Cause: []string{id}}}
	}
	const others, arrivals = 1800, 12
	var messages []publish.Published
	for i := range others {
		messages = append(messages, update(fmt.Sprintf("other %d", i), false))
	}
	for i := range arrivals {
		messages = append(messages, update(fmt.Sprintf("first %d", i), true))
	}
	d.app.shelves.live.Published(messages)
	v.holds(fmt.Sprintf(`(() => {
		const rows = [...document.querySelectorAll(".feed > li")];
		const more = rows.reduce((sum, li) => sum + Number(li.dataset.more ?? 0), 0);
		return rows.filter((li) => li.dataset.id).length + more === %d && more > 1000 && rows.filter((li) => li.dataset.id?.startsWith("first ")).length === %d;
	})()`, others+arrivals, arrivals))
	v.picture("flood")

	// Batch upon batch of arrivals: what each is like is told of those that stay in sight.
	const batches, batch = 8, 150
	for n := range batches {
		messages = messages[:0]
		for i := range batch {
			messages = append(messages, update(fmt.Sprintf("then %d", n*batch+i), true))
		}
		d.app.shelves.live.Published(messages)
		v.holds(fmt.Sprintf(`document.querySelector(".feed > li[data-id='then %d']") && document.querySelectorAll(".feed > li").length <= 120`, (n+1)*batch-1))
	}
	v.holds(`[...document.querySelectorAll(".feed > li")].slice(0, 5).every((li) => li.textContent.includes("Most like"))`)
	v.holds(`document.querySelector(".feed .more")`)
	v.clean()
	d.end()
}
