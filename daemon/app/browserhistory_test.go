package app

import (
	"fmt"
	"net/url"

	"kilim/daemon/browse"
)

// walkHistory looks at what has changed in the lists of the artifact that is shown: since a day before all, since one that has not come yet,
// and for as long as is known, each as the API tells it.
func (v *viewer) walkHistory(d *daemon) {
	v.t.Helper()
	id := value[string](v, `decodeURIComponent(location.hash.slice("#/artifact/".length))`)
	// Of a theme that applies to the artifact the list is published, or will be.
	lists := []string{"total", "general"}
	for _, name := range value[[]string](v, `[...document.querySelectorAll(".lists .list")].map((l) => l.dataset.list).filter((name) => name.startsWith("theme:"))`) {
		if code := d.get("/api/v1/artifacts/"+url.PathEscape(id)+"/history?"+url.Values{"list": {name}}.Encode(), nil); code == 200 {
			lists = append(lists, name)
		} else if code != 404 {
			v.t.Errorf("history of %s in %s: status %d", id, name, code)
		}
	}
	v.t.Logf("histories of %q", lists)
	for _, day := range []string{"1999-12-31", "2999-12-31", ""} {
		v.does(fmt.Sprintf(`{ const since = document.querySelector(".changed input"); since.value = %q; since.dispatchEvent(new Event("change")) }`, day))
		for _, list := range lists {
			var h browse.History
			q := url.Values{"list": {list}}
			if day != "" {
				q.Set("since", day)
			}
			if code := d.get("/api/v1/artifacts/"+url.PathEscape(id)+"/history?"+q.Encode(), &h); code != 200 {
				v.t.Errorf("history of %s since %q: status %d", id, day, code)
			}
			text := "Since "
			switch {
			case !h.Reaches:
				text = "is forgotten"
			case day == "1999-12-31" || h.Complete && day == "":
				text = "Its first list is of"
			}
			v.holds(fmt.Sprintf(`(() => { const s = document.querySelector(".changed [data-history='%s']"); return s?.querySelectorAll("dd").length === %d &&
				s.querySelectorAll("details li").length === %d && s.querySelector(".facts").textContent.includes(%q) && Boolean(s.querySelector(".none")) === %t })()`,
				list, len(h.Entered)+len(h.Left)+len(h.Moved), len(h.Turns), text, len(h.Entered)+len(h.Left)+len(h.Moved) == 0))
		}
	}
	v.does(`document.querySelector(".changed").scrollIntoView()`)
	v.picture("history")
}
