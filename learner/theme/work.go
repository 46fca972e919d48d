package theme

import (
	"maps"
	"slices"

	"kilim/consumer/profile"
	"kilim/graphstore/weave"
)

// Work is what is read of an artifact, and its labels.
type Work struct {
	ID    string
	Title weave.Text
	// Texts are all that can be read of it, the title too.
	Texts []weave.Text
	// Entities name what the artifact shares with others: an entity's type and its key.
	Entities []string
	// Labels are the terms that are known of it, by theme.
	Labels map[string][]string
}

// WorkOf makes a Work of an artifact.
func WorkOf(a *profile.Artifact) Work {
	w := Work{ID: a.ID, Title: weave.Title(a), Texts: weave.Texts(a), Labels: a.Theme}
	for _, e := range weave.Edges(a) {
		if e.Type.IsEntity() {
			w.Entities = append(w.Entities, e.Type.String()+"\x00"+e.Key)
		}
	}
	return w
}

// Themes are those of which some Work has labels, in the order of their names.
func Themes(works []Work) []string {
	seen := map[string]bool{}
	for i := range works {
		for t, labels := range works[i].Labels {
			if len(labels) > 0 {
				seen[t] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
