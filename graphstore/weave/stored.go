package weave

import (
	"errors"
	"fmt"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// Documents is where the records of artifacts are stored, as received.
type Documents interface {
	Artifact(id string) (*graphstore.Doc, error)
}

// ErrNoDocument is wrapped by Read when no document is stored under an id.
var ErrNoDocument = errors.New("no document is stored")

// Read returns the stored document of an artifact and the artifact that it describes.
func Read(from Documents, id string) (*graphstore.Doc, *profile.Artifact, error) {
	doc, err := from.Artifact(id)
	if err != nil {
		return nil, nil, err
	}
	if doc == nil {
		return nil, nil, fmt.Errorf("artifact %q: %w", id, ErrNoDocument)
	}
	a, err := Parse(doc)
	return doc, a, err
}

// ReadIfSound is Read for who passes over what can't be read: the artifact is nil if none is stored, or if its document is damaged.
func ReadIfSound(from Documents, id string) (*profile.Artifact, error) {
	_, a, err := Read(from, id)
	if errors.Is(err, graphstore.ErrDamaged) || errors.Is(err, ErrNoDocument) {
		return nil, nil
	}
	return a, err
}

// Parse returns the artifact that a stored document describes.
func Parse(doc *graphstore.Doc) (*profile.Artifact, error) {
	a, err := profile.Parse(doc.Raw, doc.ID, profile.Stored())
	if err != nil {
		return nil, fmt.Errorf("stored artifact %q: %w", doc.ID, err)
	}
	return a, nil
}
