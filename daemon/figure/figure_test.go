package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"kilim/daemon/pipeline/atlas"
)

// comparison is one of n groups with labels, whose tree joins neighbours.
func comparison(rng *rand.Rand, labels ...string) *atlas.Answer {
	a := &atlas.Answer{Kind: "culture", Epoch: 3, All: len(labels) + 4}
	for i, label := range labels {
		key := fmt.Sprintf("key %d", i)
		a.Groups = append(a.Groups, atlas.Group{Key: key, Label: label, Artifacts: 40 - i})
		a.Tree.Leaves = append(a.Tree.Leaves, key)
		for j := range i + 1 {
			a.Cells = append(a.Cells, atlas.Cell{A: key, B: fmt.Sprintf("key %d", j), Contrast: 2*rng.Float64() - 1})
		}
		if i > 0 {
			a.Tree.Merges = append(a.Tree.Merges, atlas.Merge{A: max(0, len(labels)+i-2), B: i, Height: float64(i) / 4})
		}
	}
	if len(a.Tree.Merges) > 0 {
		a.Tree.Merges[0].A = 0
	}
	return a
}

// drawn holds that a figure is well-formed as SVG, and twice the same; it returns its texts.
func drawn(t *testing.T, f func() *Figure) (texts []string) {
	t.Helper()
	var svg [2]bytes.Buffer
	for i := range svg {
		if lacks, err := f().Write(&svg[i], "svg"); err != nil || len(lacks) > 0 {
			t.Fatal(lacks, err)
		}
	}
	if !bytes.Equal(svg[0].Bytes(), svg[1].Bytes()) {
		t.Error("the same figure is drawn in two ways")
	}
	if s := svg[0].String(); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
		t.Error("a place in the figure is no number")
	}
	d := xml.NewDecoder(&svg[0])
	inText := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if inText = e.Name.Local == "text"; e.Name.Local == "script" {
				t.Error("a label became an element")
			}
		case xml.CharData:
			if inText {
				texts = append(texts, string(e))
			}
		case xml.EndElement:
			inText = false
		}
	}
	return texts
}

// raster holds that a figure is a PNG, and returns the labels that it lacks.
func raster(t *testing.T, f *Figure) []string {
	t.Helper()
	var out bytes.Buffer
	missing, err := f.Write(&out, "png")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(&out); err != nil || c.Width < 200 || c.Height < 100 {
		t.Errorf("%+v, %v", c, err)
	}
	return missing
}

// TestFigures draws comparisons of no, few and many groups with all kinds of labels.
func TestFigures(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	many := slices.Repeat([]string{strings.Repeat("long ", 40)}, 20)
	for _, labels := range [][]string{nil, {"one"}, {"Vadrosk", "Oruvel"}, {`<script>alert(1)</script>`, `&"'`, ""}, {"وادروسک", "Ysmarra", "گلیم"}, many} {
		a := comparison(rng, labels...)
		texts := drawn(t, func() *Figure { return Cultures(a) })
		for i, label := range labels {
			want := fmt.Sprintf("%s (%d)", shorten(label, labelRunes)+"\u200e", 40-i)
			if label == "" {
				want = fmt.Sprintf("key %d\u200e (%d)", i, 40-i)
			}
			if !slices.Contains(texts, want) {
				t.Errorf("%q is not in %.200q", want, texts)
			}
		}
		for _, c := range a.Cells {
			if n := fmt.Sprintf("%+.2f", c.Contrast); c.A != c.B && !slices.Contains(texts, n) {
				t.Errorf("%s is not in %.200q", n, texts)
			}
		}
		arabic := slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return !strings.ContainsAny(l, "ویگ") })
		drawn(t, func() *Figure { return Dendrogram(a) })
		if len(arabic) == 0 {
			continue // 300 dots an inch take a while
		}
		if missing := raster(t, Dendrogram(a)); !slices.Equal(missing, arabic) {
			t.Errorf("PNG lacks %q, want %q", missing, arabic)
		}
	}
	if _, err := Dendrogram(comparison(rng, "a", "b")).Write(io.Discard, "pdf"); err == nil {
		t.Error("a format that is none was written")
	}
}

// TestNetwork: two groups of nodes that are alike among themselves lie apart, whatever their order, no two nodes are on one another, and any graph can be drawn.
func TestNetwork(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	for range 5 {
		g := &Graph{Nodes: make([]Node, 20), Caption: "x < y"}
		side := rng.Perm(20)
		for i := range g.Nodes {
			g.Nodes[i] = Node{ID: fmt.Sprint(i), Label: fmt.Sprintf("<b>%d", i), Group: fmt.Sprint(side[i] % 2)}
			for j := range i {
				if side[i]%2 == side[j]%2 {
					g.Edges = append(g.Edges, Edge{i, j, rng.Float64()})
				}
			}
		}
		g.Edges = append(g.Edges, Edge{slices.Index(side, 0), slices.Index(side, 1), 0.1})
		at := places(g, vg.Point{}, vg.Point{X: 100, Y: 100})
		var same, other []float64
		for i := range at {
			for j := range i {
				d := math.Hypot(float64(at[i].X-at[j].X), float64(at[i].Y-at[j].Y))
				if d < 2 {
					t.Errorf("nodes %d and %d are on one another", i, j)
				}
				if side[i]%2 == side[j]%2 {
					same = append(same, d)
				} else {
					other = append(other, d)
				}
			}
		}
		if s, o := mean(same), mean(other); s > o/1.5 {
			t.Errorf("the same group is %v apart, another %v", s, o)
		}
		if texts := drawn(t, func() *Figure { return Network(g) }); !slices.Contains(texts, "<b>7") || !slices.Contains(texts, g.Caption) {
			t.Errorf("%q", texts)
		}
	}
	for _, g := range []*Graph{
		{Nodes: []Node{{ID: "alone"}}}, {Nodes: []Node{{ID: "a"}, {ID: "b", Label: "گلیم", Group: "گ"}}}, {Nodes: []Node{{ID: "گ"}, {ID: "b"}}, Edges: []Edge{{0, 1, -1}, {1, 0, -1}, {1, 1, 5}}},
		{Nodes: make([]Node, 31), Edges: []Edge{{0, 30, 0}}},
	} {
		drawn(t, func() *Figure { return Network(g) })
	}
}

// TestNetworkAsPNG: what the font lacks is told, and stands there by its id.
func TestNetworkAsPNG(t *testing.T) {
	t.Parallel()
	g := &Graph{Nodes: []Node{{ID: "a"}, {ID: "b", Label: "گلیم", Group: "گ"}}, Edges: []Edge{{0, 1, 0.5}}}
	if missing := raster(t, Network(g)); !slices.Equal(missing, []string{"گلیم", "گ"}) {
		t.Errorf("PNG lacks %q", missing)
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// TestMap: each point is drawn, in the colour of its group or in grey, the legend has the groups with their sizes, and any archive can be drawn.
func TestMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		plane := &Plane{Caption: []string{"<The archive>", "and when"}}
		for i := range rng.IntN(12) {
			plane.Groups = append(plane.Groups, Group{fmt.Sprintf("<g %d> شرق", i), 100 - i})
		}
		for range rng.IntN(60) {
			plane.Points = append(plane.Points, Point{float64(rng.IntN(3)) / 2, rng.Float64(), rng.IntN(len(plane.Groups) + 3)})
		}
		texts := drawn(t, func() *Figure { return Map(plane) })
		for i, g := range plane.Groups {
			if got := slices.Contains(texts, fmt.Sprintf("%s  %d", g.Label, g.Size)); got != (i < len(groupColours)-1) {
				t.Errorf("seed %d: group %d in the legend: %v", seed, i, got)
			}
		}
		var svg bytes.Buffer
		if _, err := Map(plane).Write(&svg, "svg"); err != nil {
			t.Fatal(err)
		}
		// A disc is two arcs; the legend has one for each row of its two texts less those of the caption.
		if discs := strings.Count(svg.String(), "A") / 2; discs < len(plane.Points) {
			t.Errorf("seed %d: %d discs for %d points", seed, discs, len(plane.Points))
		}
	}
	var out bytes.Buffer
	lacks, err := Map(&Plane{Groups: []Group{{"شرق", 1}}, Points: []Point{{0, 0, 1}}}).Write(&out, "png")
	if err != nil || len(lacks) != 1 {
		t.Errorf("a label that the font has not: %q, %v", lacks, err)
	}
	big := &Plane{Points: make([]Point, 20_000)}
	if _, err := Map(big).Write(&out, "svg"); err != nil || out.Len() > 200*len(big.Points) {
		t.Errorf("%d points in %d bytes, %v", len(big.Points), out.Len(), err)
	}
}
