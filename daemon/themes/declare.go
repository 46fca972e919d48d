package themes

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/internal/atomicfile"
)

// Declaration is a theme that somebody asked for by its name.
type Declaration struct {
	Name string `json:"name"`
	// Weak are the fields whose terms stand in for the labels of artifacts that have none of the theme: technique and material for
	// craft, say.
	Weak []string `json:"weak,omitempty"`
	// Apart: it was declared when others were served, and changes nothing of these (theme.Model.Apart). Keeper.Declare sets it; whoever wants it to
	// count for the others too declares it in the configuration, and starts again.
	Apart bool `json:"apart,omitempty"`
}

// ErrDeclaration is wrapped by what is wrong with a Declaration.
var ErrDeclaration = errors.New("this is no theme")

// mostDeclared is how many themes may be declared, and nameBytes how long a name may be: records allow no longer ones.
const mostDeclared = 256

var nameBytes = profile.DefaultLimits().NameBytes

// weakFields are the fields that a Declaration may name.
var weakFields = map[string]func(*profile.Artifact) []profile.Term{
	"creator":    func(a *profile.Artifact) []profile.Term { return a.Creator },
	"culture":    func(a *profile.Artifact) []profile.Term { return a.Culture },
	"period":     func(a *profile.Artifact) []profile.Term { return a.Period },
	"dynasty":    func(a *profile.Artifact) []profile.Term { return a.Dynasty },
	"reign":      func(a *profile.Artifact) []profile.Term { return a.Reign },
	"style":      func(a *profile.Artifact) []profile.Term { return a.Style },
	"place":      func(a *profile.Artifact) []profile.Term { return a.Place },
	"material":   func(a *profile.Artifact) []profile.Term { return a.Material },
	"technique":  func(a *profile.Artifact) []profile.Term { return a.Technique },
	"type":       func(a *profile.Artifact) []profile.Term { return a.Type },
	"subject":    func(a *profile.Artifact) []profile.Term { return a.Subject },
	"collection": func(a *profile.Artifact) []profile.Term { return a.Collection },
}

// ParseDeclaration reads NAME or NAME=FIELD+FIELD, the form of the configuration.
func ParseDeclaration(text string) (Declaration, error) {
	name, fields, weak := strings.Cut(text, "=")
	d := Declaration{Name: name}
	if weak {
		d.Weak = strings.Split(fields, "+")
	}
	return d, d.validate()
}

func (d *Declaration) validate() error {
	switch {
	case strings.TrimSpace(d.Name) == "" || len(d.Name) > nameBytes || !utf8.ValidString(d.Name):
		return fmt.Errorf("%w: name %q: want 1 to %d bytes of text", ErrDeclaration, d.Name, nameBytes)
	case strings.ContainsFunc(d.Name, func(r rune) bool { return r < ' ' }):
		return fmt.Errorf("%w: name %q: want no control characters", ErrDeclaration, d.Name)
	}
	for i, field := range d.Weak {
		if weakFields[field] == nil {
			return fmt.Errorf("%w: field %q of theme %q: want one of %s", ErrDeclaration, field, d.Name, strings.Join(slices.Sorted(maps.Keys(weakFields)), ", "))
		}
		if slices.Contains(d.Weak[:i], field) {
			return fmt.Errorf("%w: theme %q names the field %q twice", ErrDeclaration, d.Name, field)
		}
	}
	return nil
}

// weakLabels are the terms of the Declaration's fields in a record, each once.
func (d *Declaration) weakLabels(a *profile.Artifact) []string {
	var out []string
	for _, field := range d.Weak {
		for _, term := range weakFields[field](a) {
			if label := graphstore.NormalizeLabel(term.Text()); label != "" && !slices.Contains(out, label) {
				out = append(out, label)
			}
		}
	}
	return out
}

// declared are the Declarations of the configuration and those in a file, which came while a daemon ran.
type declared struct {
	path  string
	lock  sync.Mutex
	added []Declaration // in the file, by name
	fixed []Declaration // by the configuration, which goes before what was added
}

func openDeclared(path string, fixed []Declaration) (*declared, error) {
	d := &declared{path: path, fixed: fixed}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &d.added)
	}
	for i := range d.added {
		err = errors.Join(err, d.added[i].validate())
	}
	if err != nil {
		return nil, fmt.Errorf("themes: the declared themes in %s: %w", path, err)
	}
	return d, nil
}

// add makes a Declaration durable. One of the same name takes the place of the one before.
func (d *declared) add(a Declaration) error {
	if err := a.validate(); err != nil {
		return err
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	for _, f := range d.fixed {
		if f.Name == a.Name && !slices.Equal(f.Weak, a.Weak) {
			return fmt.Errorf("%w: the configuration declares theme %q already, otherwise: change themes.declare there", ErrDeclaration, a.Name)
		}
	}
	for _, o := range d.added {
		if o.Name == a.Name {
			a.Apart = o.Apart // else it would change the others after all
		}
	}
	next := slices.DeleteFunc(slices.Clone(d.added), func(o Declaration) bool { return o.Name == a.Name })
	if next = append(next, a); len(next) > mostDeclared {
		return fmt.Errorf("%w: %d themes are declared already, as many as may be", ErrDeclaration, mostDeclared)
	}
	slices.SortFunc(next, func(a, b Declaration) int { return cmp.Compare(a.Name, b.Name) })
	b, err := json.MarshalIndent(next, "", "\t")
	if err != nil {
		return fmt.Errorf("themes: %w", err)
	}
	if err := atomicfile.Write(d.path, append(b, '\n'), nil); err != nil {
		return fmt.Errorf("themes: declare %q: %w", a.Name, err)
	}
	d.added = next
	return nil
}

// all are the Declarations by name.
func (d *declared) all() map[string]Declaration {
	d.lock.Lock()
	defer d.lock.Unlock()
	out := map[string]Declaration{}
	for _, from := range [][]Declaration{d.added, d.fixed} {
		for _, a := range from {
			out[a.Name] = a
		}
	}
	return out
}
