// Package atlas answers how near the cultures, periods or places of an archive are to one another: Read takes what package maps keeps, names the groups by
// the nodes of the graph and the artifacts by their ids, and gives an Answer to a Question. Groups tells which groups an artifact belongs to. It must not know how vectors or sums came to be.
package atlas

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kilim/graphstore"
	"kilim/rerank/maps"
)

// ErrUnknownKind is the error of a kind that is not compared.
var ErrUnknownKind = errors.New("atlas: unknown kind of group")

var compared = [...]graphstore.Type{graphstore.Culture, graphstore.Period, graphstore.Place}

// Compared tells whether groups of a type are.
func Compared(t graphstore.Type) bool { return slices.Contains(compared[:], t) }

// Kinds are those that are compared.
func Kinds() (names []string) {
	for _, t := range compared {
		names = append(names, t.String())
	}
	return names
}

// Groups are those that an artifact belongs to by its edges.
func Groups(edges []graphstore.EdgeSpec) (groups []uint64) {
	for _, e := range edges {
		if Compared(e.Type) {
			groups = append(groups, uint64(graphstore.ID(e.Type, e.Key)))
		}
	}
	return groups
}

// Question asks for the largest groups of a kind, at most Most.
type Question struct {
	Kind string
	Most int
	// Epoch is that of the model that made the vectors, or serves beside it, and goes into the answer; so do Theme and Model where the vectors are those of a theme.
	Epoch        uint32
	Theme, Model string
	// Comparer keeps, from one question to the next, what takes long; nil: nothing is kept.
	Comparer *maps.Comparer
}

// Answer is the comparison of the largest groups of a kind.
type Answer struct {
	Kind string `json:"kind"`
	// Theme is what they are compared in, and Model the model of themes; without them it is all that the embeddings say.
	Theme  string  `json:"theme,omitempty"`
	Model  string  `json:"model,omitempty"`
	Epoch  uint32  `json:"epoch"`
	Groups []Group `json:"groups"` // the largest first
	// All counts the groups of the kind, those that are not in Groups too.
	All   int    `json:"all"`
	Cells []Cell `json:"cells"`
	Tree  Tree   `json:"tree"`
}

// Tree is the dendrogram of the groups that have cells, by average linkage. Two are as far apart as their contrast lacks of 1.
type Tree struct {
	// Leaves are keys of groups, in an order in which near ones are side by side.
	Leaves []string `json:"leaves"`
	// Merges are from the nearest to the farthest. A number below that of the leaves is a leaf, by its place; others are merges, the first one of which
	// has the number of the leaves.
	Merges []Merge `json:"merges"`
}

// Merge joins two clusters whose groups are Height apart, on the average.
type Merge struct {
	A      int     `json:"a"`
	B      int     `json:"b"`
	Height float64 `json:"height"`
}

// Group is a culture, a period or a place.
type Group struct {
	Key       string `json:"key"`
	Label     string `json:"label"`
	Artifacts int    `json:"artifacts"`
}

// Cell compares two groups, or a group with itself; see maps.Cell.
type Cell struct {
	A        string  `json:"a"` // keys of groups
	B        string  `json:"b"`
	Mean     float64 `json:"mean"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Contrast float64 `json:"contrast"`
	Pairs    int     `json:"pairs"`
	Nearest  []Pair  `json:"nearest"`
	// Since is when the mean began to be within the interval that was told then; nil: nothing was told of the cell yet. Read does not know it.
	Since *time.Time `json:"since,omitempty"`
}

// Pair is an artifact of A and one of B.
type Pair struct {
	A      string  `json:"a"` // ids of artifacts
	B      string  `json:"b"`
	Cosine float64 `json:"cosine"`
}

// Index is what holds the vectors and their map.
type Index interface {
	maps.Vectors
	Map() *maps.Map
}

// Read answers a question.
func Read(r *graphstore.Reader, index Index, q Question) (*Answer, error) {
	a := &Answer{Kind: q.Kind, Theme: q.Theme, Model: q.Model, Epoch: q.Epoch, Groups: []Group{}, Cells: []Cell{}}
	keys := map[uint64]string{}
	var chosen []uint64
	if !slices.Contains(Kinds(), q.Kind) {
		return nil, fmt.Errorf("%w: %q: want one of %q", ErrUnknownKind, q.Kind, Kinds())
	}
	if q.Comparer == nil {
		q.Comparer = new(maps.Comparer)
	}
	for _, g := range index.Map().Groups() {
		n, err := r.Node(graphstore.NodeID(g.ID))
		if err != nil {
			return nil, err
		}
		if n == nil || n.Type.String() != q.Kind {
			continue // of another kind, or of a unit that is not committed yet
		}
		if a.All++; len(chosen) < q.Most {
			chosen = append(chosen, g.ID)
			keys[g.ID] = n.Key
			a.Groups = append(a.Groups, Group{Key: n.Key, Label: n.DisplayLabel(), Artifacts: g.Artifacts})
		}
	}
	for _, c := range q.Comparer.Cells(index.Map(), chosen, index) {
		cell := Cell{A: keys[c.A], B: keys[c.B], Mean: c.Mean, Low: c.Low, High: c.High, Contrast: c.Contrast, Pairs: c.Pairs, Nearest: []Pair{}}
		for _, p := range c.Nearest {
			x, err := r.Node(graphstore.NodeID(p.A))
			if err != nil {
				return nil, err
			}
			y, err := r.Node(graphstore.NodeID(p.B))
			if err != nil {
				return nil, err
			}
			if x.IsArtifact() && y.IsArtifact() {
				cell.Nearest = append(cell.Nearest, Pair{A: x.Key, B: y.Key, Cosine: p.Cosine})
			}
		}
		a.Cells = append(a.Cells, cell)
	}
	a.Tree = treeOf(a)
	return a, nil
}

func treeOf(a *Answer) Tree {
	contrast := map[[2]string]float64{}
	var keys []string
	for _, c := range a.Cells {
		contrast[[2]string{c.A, c.B}], contrast[[2]string{c.B, c.A}] = c.Contrast, c.Contrast
		if c.A == c.B {
			keys = append(keys, c.A)
		}
	}
	merges, order := maps.Cluster(len(keys), func(i, j int) float64 { return 1 - contrast[[2]string{keys[i], keys[j]}] })
	t := Tree{Leaves: make([]string, len(keys)), Merges: make([]Merge, len(merges))}
	place := make([]int, len(keys), len(keys)+len(merges)) // of what Cluster numbers
	for to, leaf := range order {
		t.Leaves[to], place[leaf] = keys[leaf], to
	}
	for i, m := range merges {
		place = append(place, len(keys)+i)
		t.Merges[i] = Merge{place[m.A], place[m.B], m.Height}
	}
	return t
}
