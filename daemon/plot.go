package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kilim/daemon/browse"
	"kilim/daemon/figure"
	"kilim/daemon/pipeline/atlas"
	"kilim/internal/atomicfile"
)

// plotCommand draws what a daemon answers.
type plotCommand struct {
	Cultures   plotCulturesCommand   `cmd:"" help:"How near cultures, periods or places are to one another: a heat map."`
	Dendrogram plotDendrogramCommand `cmd:"" help:"The same as a tree."`
	Network    plotNetworkCommand    `cmd:"" help:"What an artifact is like, and what that is like, as a network."`
	Map        plotMapCommand        `cmd:"" help:"The map of the archive: a point an artifact, what is alike is near."`
}

// drawing is where a figure comes from and where it goes.
type drawing struct {
	address
	Output string `name:"output" short:"o" required:"" placeholder:"FILE" help:"Where the figure goes: FILE.svg, or FILE.png with 300 dots an inch."`
}

// format is that of the file, by its name.
func (d *drawing) format() (string, error) {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(d.Output)), ".")
	if !slices.Contains(figure.Formats(), format) {
		return "", &exitError{exitUsage, fmt.Errorf("plot: -o %q: want a name that ends in .svg or .png", d.Output)}
	}
	return format, nil
}

// raw is what the daemon answers at a path.
func (d *drawing) raw(s *session, path string, parameters map[string]string) ([]byte, error) {
	u, err := d.url(path, parameters)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	raw, err := askBytes(&http.Client{Timeout: requestTimeout}, req)
	if err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	return raw, nil
}

// answer reads what the daemon says in JSON at a path.
func (d *drawing) answer(s *session, path string, parameters map[string]string, into any) error {
	raw, err := d.raw(s, path, parameters)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("plot: the daemon's answer: %w", err)
	}
	return nil
}

// write writes a figure, and says what is not in it.
func (d *drawing) write(s *session, f *figure.Figure, format string) error {
	var missing []string
	err := atomicfile.WriteFunc(d.Output, func(w io.Writer) (err error) {
		missing, err = f.Write(w, format)
		return err
	}, nil)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	if len(missing) > 0 {
		fmt.Fprintf(s.stderr, "kilim: plot: %s: the font of PNG has not all letters of %q; others stand in their place, and an SVG has all\n", d.Output, missing)
	}
	return nil
}

// compared is what is compared by plot cultures and plot dendrogram.
type compared struct {
	drawing
	Kind string `enum:"culture,period,place" default:"culture" help:"What is compared: culture, period or place."`
	Top  int    `default:"12" placeholder:"N" help:"How many of the largest, at most 20."`
}

func (c *compared) plot(s *session, draw func(*atlas.Answer) *figure.Figure) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	var a atlas.Answer
	if err := c.answer(s, "/api/v1/cultures", map[string]string{"kind": c.Kind, "k": strconv.Itoa(c.Top)}, &a); err != nil {
		return err
	}
	if len(a.Tree.Leaves) < 2 {
		return fmt.Errorf("plot: there are fewer than two groups of kind %s to compare", c.Kind)
	}
	return c.write(s, draw(&a), format)
}

type plotCulturesCommand struct{ compared }

// Run draws the heat map.
func (c *plotCulturesCommand) Run(s *session) error { return c.plot(s, figure.Cultures) }

type plotDendrogramCommand struct{ compared }

// Run draws the tree.
func (c *plotDendrogramCommand) Run(s *session) error { return c.plot(s, figure.Dendrogram) }

type plotNetworkCommand struct {
	drawing
	ID    string `arg:"" name:"id" help:"The id of the artifact."`
	Theme string `placeholder:"NAME" help:"What they are alike in; without it, in general and by all evidence."`
	Top   int    `default:"12" placeholder:"N" help:"How many artifacts around it, at most 30."`
}

const mostAround = 30

// Run draws the network around an artifact.
func (c *plotNetworkCommand) Run(s *session) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	if c.Top < 1 || c.Top > mostAround {
		return &exitError{exitUsage, fmt.Errorf("plot: --top %d: want 1 to %d", c.Top, mostAround)}
	}
	g, err := c.graph(s)
	if err != nil {
		return err
	}
	return c.write(s, figure.Network(g), format)
}

// graph asks for the list of the artifact, and for the lists of those in it.
func (c *plotNetworkCommand) graph(s *session) (*figure.Graph, error) {
	name := "total"
	if c.Theme != "" {
		name = "theme:" + c.Theme
	}
	listOf := func(id string) (*browse.List, error) {
		list := new(browse.List)
		return list, c.answer(s, artifactPath(id)+"/list", map[string]string{"list": name, "k": strconv.Itoa(c.Top)}, list)
	}
	var card browse.Card
	if err := c.answer(s, artifactPath(c.ID)+"/card", nil, &card); err != nil {
		return nil, err
	}
	own, err := listOf(c.ID)
	if err != nil {
		return nil, err
	}
	if len(own.Items) == 0 {
		return nil, fmt.Errorf("plot: the list %s of artifact %q is empty", name, c.ID)
	}
	g := &figure.Graph{
		Nodes:   []figure.Node{nodeOf(c.ID, &card)},
		Caption: fmt.Sprintf("What %s is most like by the list %s, and which of these are in one another's first %d. Colour: culture.", c.ID, name, c.Top),
	}
	places := map[string]int{c.ID: 0}
	for _, item := range own.Items {
		places[item.ID] = len(g.Nodes)
		g.Nodes = append(g.Nodes, nodeOf(item.ID, item.Card))
	}
	joined := map[[2]int]bool{}
	join := func(from string, list *browse.List) {
		for _, item := range list.Items {
			a, b := places[from], 0
			b, known := places[item.ID]
			if pair := [2]int{min(a, b), max(a, b)}; known && !joined[pair] {
				joined[pair] = true
				g.Edges = append(g.Edges, figure.Edge{A: a, B: b, Score: item.Score})
			}
		}
	}
	join(c.ID, own)
	for _, item := range own.Items {
		list, err := listOf(item.ID)
		if err != nil {
			return nil, err
		}
		join(item.ID, list)
	}
	return g, nil
}

func artifactPath(id string) string { return "/api/v1/artifacts/" + url.PathEscape(id) }

func nodeOf(id string, card *browse.Card) figure.Node {
	if card == nil { // it can't be read
		return figure.Node{ID: id}
	}
	return figure.Node{ID: id, Label: card.Title, Group: card.Culture}
}
