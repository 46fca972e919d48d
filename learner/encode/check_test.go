package encode

import (
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// TestCheckFindsFaults breaks what a record's media need and looks for the complaint.
func TestCheckFindsFaults(t *testing.T) {
	t.Parallel()
	star := graphstore.ID(graphstore.Image, "a\x000")
	given := graphstore.ID(graphstore.Image, "a\x002")
	change := func(id graphstore.NodeID, fn func(row *graphstore.Media)) func(*archive) {
		return func(a *archive) {
			row := a.rows[id]
			fn(&row)
			a.rows[id] = row
		}
	}
	for name, c := range map[string]struct {
		breaks func(*archive)
		want   string
	}{
		"nothing":     {func(*archive) {}, ""},
		"no row":      {func(a *archive) { delete(a.rows, star) }, `artifact "a": image: a medium without a row`},
		"other bytes": {change(star, func(row *graphstore.Media) { row.Content = graphstore.Content{1} }), "other bytes"},
		"a vector that came": {change(given, func(row *graphstore.Media) { row.State = graphstore.MediaWaiting }),
			"waiting, and its vector came with it"},
		"another encoder": {change(star, func(row *graphstore.Media) { row.Encoder = "eagle" }), `encoded by "eagle"`},
		"a later unit":    {change(star, func(row *graphstore.Media) { row.Revision = 9 }), "asked at revision 9, the state is at 2"},
		"a row too many": {func(a *archive) {
			a.rows[graphstore.ID(graphstore.Text, "a\x001")] = graphstore.Media{Node: graphstore.ID(graphstore.Text, "a\x001"), State: graphstore.MediaWaiting}
		}, "a row about a medium (waiting) that no document has"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, eyeAndEar())
			a := artifact("a", picture("star"), written("a star"), embedded(profile.Image, "eye", 1, 2, 3, 4, 5))
			d.feed(a)
			d.encodeAll()
			c.breaks(d.durable)
			var faults []string
			check := d.encoders.Check(d.durable, d.revision, func(f string) { faults = append(faults, f) })
			d.must(check.Artifact(a, weave.Edges(a)))
			d.must(check.Rest())
			if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.want)) {
				t.Errorf("faults %q, want one with %q", faults, c.want)
			}
		})
	}
}
