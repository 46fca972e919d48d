package encoders

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
)

// item is an artifact as the tasks need it.
type item struct {
	id      string
	label   string
	culture string
	texts   []string
	picture []byte
	sound   []byte
}

// feed reads a feed of the folder and keeps what label answers with a label; the
// media are files beside it.
func feed(dir, name string, label func(*profile.Artifact) string) ([]item, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("encoders: %w", err)
	}
	defer f.Close()
	var out []item
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		a, err := profile.Parse(lines.Bytes(), "", profile.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("encoders: %s: %w", name, err)
		}
		it := item{id: a.ID, label: label(a)}
		if it.label == "" {
			continue
		}
		for _, m := range a.Media {
			if m.URI == "" || !filepath.IsLocal(m.URI) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, m.URI))
			if err != nil {
				return nil, fmt.Errorf("encoders: media of %s: %w", a.ID, err)
			}
			if m.Kind == profile.Image {
				it.picture = data
			} else {
				it.sound = data
			}
		}
		out = append(out, it)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("encoders: %s: %w", name, err)
	}
	return out, nil
}

// vase is what a photograph is part of.
func vase(a *profile.Artifact) string {
	for _, l := range a.Link {
		if l.Type == "part_of" {
			return l.Target
		}
	}
	return ""
}

// songType is the first label of the theme.
func songType(a *profile.Artifact) string {
	if types := a.Theme["music"]; len(types) > 0 {
		return types[0]
	}
	return ""
}

// planted is an artifact of the demo archive, with its truth.
type planted struct {
	item
	truth demo.Truth
}

func demoArchive(ctx context.Context, opt demo.Options) ([]planted, error) {
	describe := demo.Describer(opt)
	var out []planted
	err := demo.Each(opt, func(record []byte, id string) error {
		var r struct {
			Title, Description string
			Media              []struct {
				Kind, Text string
				Data       []byte
			}
		}
		if err := json.Unmarshal(record, &r); err != nil {
			return fmt.Errorf("encoders: %s: %w", id, err)
		}
		p := planted{item{id: id, texts: []string{r.Title, r.Description}}, describe(len(out))}
		p.culture = p.truth.Culture
		for _, m := range r.Media {
			switch m.Kind {
			case profile.Text:
				p.texts = append(p.texts, m.Text)
			case profile.Image:
				p.picture = m.Data
			case profile.Audio:
				p.sound = m.Data
			}
		}
		out = append(out, p)
		return ctx.Err()
	})
	return out, err
}

// labelled are the artifacts that have what is asked for, with a label.
func labelled(all []planted, label func(demo.Truth) string, has func(item) bool) []item {
	var out []item
	for _, p := range all {
		if p.label = label(p.truth); p.label != "" && has(p.item) {
			out = append(out, p.item)
		}
	}
	return out
}
