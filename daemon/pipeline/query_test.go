package pipeline

import (
	"reflect"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// TestQueryOfTheUnknown asks about an artifact whose entities and link target are not there. It changes nothing.
func TestQueryOfTheUnknown(t *testing.T) {
	t.Parallel()
	s, err := openSite(t, t.TempDir(), exact(), graphstore.Options{SyncWrites: graphstore.NoSync})
	s.must(err)
	changes, _ := history(3, 40, 20)
	s.must(s.apply(changes))
	s.must(s.settle())
	before := s.engine.Status()
	for _, query := range []string{
		`{"title":"star and hook","link":[{"type":"copy_of","target":"nobody has it"}]}`,
		`{"culture":["unheard of"],"link":[{"type":"part_of","target":"a1"},{"type":"related","target":"nor this"}]}`,
	} {
		a, err := profile.Parse([]byte(query), "q", profile.DefaultLimits())
		s.must(err)
		answer, err := s.engine.Queries().SimilarTo(t.Context(), a, "total", 5)
		s.must(err)
		if len(answer.Items) != 5 {
			t.Errorf("%s: %d entries, want 5", query, len(answer.Items))
		}
	}
	if after := s.engine.Status(); !reflect.DeepEqual(after, before) {
		t.Errorf("status is %+v, before the queries %+v", after, before)
	}
	s.close()
}
