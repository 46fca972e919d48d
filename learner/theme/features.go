package theme

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"kilim/learner/encode/text"
)

// view is one of the ways in which a Work is looked at.
type view uint8

const (
	words      view = iota // 1- and 2-grams of the words of all texts
	titleWords             // the same of the title
	titleChars             // 3- to 5-grams of the characters of the title's words, with a mark at both ends
	sharing                // what it shares with others
	numViews
)

// feature is one that a Work has, and how often.
type feature struct {
	hash  uint64
	count int
}

// features are those of a Work in each view, each once, by hash.
func features(analyzer *text.Encoder, w *Work) [numViews][]feature {
	var all [numViews][]uint64
	for _, t := range w.Texts {
		all[words] = appendGrams(all[words], words, analyzer.Words(t))
	}
	title := analyzer.Words(w.Title)
	all[titleWords] = appendGrams(nil, titleWords, title)
	for _, word := range title {
		marked := []rune(" " + word + " ")
		for n := 3; n <= 5; n++ {
			for i := 0; i+n <= len(marked); i++ {
				all[titleChars] = append(all[titleChars], hashOf(titleChars, string(marked[i:i+n])))
			}
		}
	}
	for _, name := range w.Shared {
		all[sharing] = append(all[sharing], hashOf(sharing, name))
	}
	var out [numViews][]feature
	for v, hashes := range all {
		slices.Sort(hashes)
		for i, h := range hashes {
			if i > 0 && h == hashes[i-1] {
				out[v][len(out[v])-1].count++
			} else {
				out[v] = append(out[v], feature{h, 1})
			}
		}
	}
	return out
}

// appendGrams appends the hashes of words, and of each two that follow one another.
func appendGrams(out []uint64, v view, words []string) []uint64 {
	for i, word := range words {
		out = append(out, hashOf(v, word))
		if i > 0 {
			out = append(out, hashOf(v, words[i-1]+" "+word))
		}
	}
	return out
}

// hashOf is the hash of a feature of a view. Two features of one hash are taken for one.
func hashOf(v view, name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(v)})
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// idHash orders Works in a way that neither their arrival nor their ids' alphabet decides.
func idHash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return binary.LittleEndian.Uint64(h.Sum(nil))
}
