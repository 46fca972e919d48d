package encode

import (
	"slices"

	"kilim/graphstore"
)

// keptVectors are those that rows in the making need. The graph forgets a content's vectors with its last
// use, and media that change places end that for a moment: so what is needed is read before
// any row is written, and put back after all are.
type keptVectors struct {
	g    Graph
	from Rows // may be nil
	all  []keptVector
}

type keptVector struct {
	content graphstore.Content
	encoder string
	vector  []float32
}

func (k *keptVectors) add(c graphstore.Content, encoder string, v []float32) {
	k.all = append(k.all, keptVector{c, encoder, v})
}

// find keeps the vector of a content, if there is one.
func (k *keptVectors) find(c graphstore.Content, encoder string) error {
	if c == (graphstore.Content{}) {
		return nil // of bytes that nobody has seen
	}
	v, err := k.g.MediaVector(c, encoder)
	if err == nil && v == nil && k.from != nil {
		v, err = k.from.MediaVector(c, encoder)
	}
	if v != nil {
		k.add(c, encoder, v)
	}
	return err
}

func (k *keptVectors) has(c graphstore.Content, encoder string) bool {
	return slices.ContainsFunc(k.all, func(v keptVector) bool { return v.content == c && v.encoder == encoder })
}

// put stores those that are not there, or no longer.
func (k *keptVectors) put() error {
	for _, v := range k.all {
		have, err := k.g.MediaVector(v.content, v.encoder)
		if err != nil {
			return err
		}
		if have != nil {
			continue
		}
		if err := k.g.PutMediaVector(v.content, v.encoder, v.vector); err != nil {
			return err
		}
	}
	return nil
}
