package main

import (
	"fmt"
	"maps"
	"slices"

	"kilim/consumer/profile"
	"kilim/daemon/experiments/feedfile"
	"kilim/graphstore"
	"kilim/learner/theme"
)

// archive is a feed as documents, as works, and apart from them their labels.
type archive struct {
	docs   []*graphstore.Doc
	works  []theme.Work
	labels []theme.Labels
}

func readArchive(feed string) (*archive, error) {
	records, err := feedfile.Read(feed, 0)
	if err != nil {
		return nil, err
	}
	a := &archive{}
	for i := range records {
		artifact, err := profile.Parse(records[i].Line, "", profile.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", feed, i+1, err)
		}
		a.docs = append(a.docs, &graphstore.Doc{ID: artifact.ID, Raw: records[i].Line})
		a.works = append(a.works, theme.WorkOf(artifact))
		a.labels = append(a.labels, artifact.Theme)
	}
	return a, nil
}

// at are the works at places.
func (a *archive) at(places []int) *archive {
	out := &archive{}
	for _, i := range places {
		out.docs, out.works, out.labels = append(out.docs, a.docs[i]), append(out.works, a.works[i]), append(out.labels, a.labels[i])
	}
	return out
}

// byID are the labels by the ids of their works.
func (a *archive) byID() map[string]theme.Labels {
	out := make(map[string]theme.Labels, len(a.works))
	for i := range a.works {
		out[a.works[i].ID] = a.labels[i]
	}
	return out
}

// themes are those of which a work has labels, by name.
func (a *archive) themes() []string {
	seen := map[string]bool{}
	for _, labels := range a.labels {
		for t := range labels {
			seen[t] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
