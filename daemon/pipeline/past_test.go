package pipeline

import (
	"slices"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// checkPasts wants what each row says of the past to be what the messages said, one after another: none twice, none lost, whatever crashes and cutovers lie between.
// Of an artifact's messages the first may be acknowledged already.
func (s *site) checkPasts() {
	s.t.Helper()
	told := map[string][]rerank.State{}
	for _, entry := range s.entries() {
		m, err := rerank.Decode(entry.Value)
		s.must(err)
		if m.Update == nil {
			delete(told, m.ID)
			continue
		}
		state := rerank.State{At: m.Recorded, Cause: slices.Sorted(slices.Values(m.Update.Cause))}
		for _, list := range m.Update.Lists {
			ranking := rerank.Ranking{Name: list.Name}
			for _, e := range list.Entries {
				ranking.IDs = append(ranking.IDs, e.ID)
			}
			state.Lists = append(state.Lists, ranking)
		}
		if all := told[m.ID]; len(all) == 0 || !sameRankings(all[len(all)-1].Lists, state.Lists) {
			told[m.ID] = append(all, state)
		}
	}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for id, want := range told {
			row, err := topk.Stored(listgraph.Reader{R: r}, uint64(graphstore.ID(graphstore.Artifact, id)))
			if err != nil {
				return err
			}
			past, err := row.Past(id)
			if err != nil {
				return err
			}
			got := past.States
			// A change of two lists of five short ids with scores takes less than 82 bytes.
			if len(got) < len(want) && len(got) <= rerank.MostChanges && len(row.History) < rerank.MostHistory-82 {
				s.t.Errorf("%q: %d states in %d bytes, %d were told", id, len(got), len(row.History), len(want))
			}
			n := min(len(got), len(want))
			s.samePast(id, got[len(got)-n:], want[len(want)-n:])
		}
		return nil
	}))
}

func (s *site) samePast(id string, got, want []rerank.State) {
	s.t.Helper()
	for i := range got {
		cause := slices.Sorted(slices.Values(got[i].Cause))
		switch {
		case !sameRankings(got[i].Lists, want[i].Lists):
			s.t.Errorf("%q, %d of %d states: %+v, was told as %+v", id, i+1, len(got), got[i].Lists, want[i].Lists)
		case i > 0 && !slices.Equal(cause, want[i].Cause):
			s.t.Errorf("%q, %d of %d states: because of %q, was told as %q", id, i+1, len(got), cause, want[i].Cause)
		case i > 0 && got[i].At.Before(got[i-1].At) || got[i].At.Before(want[i].At):
			s.t.Errorf("%q, %d of %d states: at %v, its newest record is of %v", id, i+1, len(got), got[i].At, want[i].At)
		}
	}
}

func sameRankings(a, b []rerank.Ranking) bool {
	return slices.EqualFunc(a, b, func(a, b rerank.Ranking) bool { return a.Name == b.Name && slices.Equal(a.IDs, b.IDs) })
}
