package theme

import (
	"kilim/consumer/profile"
	"kilim/graphstore/weave"
)

// Work is what is read of an artifact. It has no place for labels: what is predicted by can't know them.
type Work struct {
	ID    string
	Title weave.Text
	// Texts are all that can be read of it, the title too.
	Texts []weave.Text
	// Shared names what it may share with others.
	Shared []string
}

// WorkOf makes a Work of an artifact.
func WorkOf(a *profile.Artifact) Work {
	return Work{ID: a.ID, Title: weave.Title(a), Texts: weave.Texts(a), Shared: shared(a)}
}

// Labels are the terms that are known of a Work, by theme.
type Labels map[string][]string
