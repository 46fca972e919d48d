package infer

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// catalogued has the fields of an artifact of a real archive that the evaluation reads.
type catalogued struct {
	title, description string
	entities           []entity
}

type entity struct {
	typ   int
	label string
}

var fields = []string{"culture", "period", "dynasty", "reign", "style", "creator", "place", "material", "technique", "type", "subject", "collection"}

const dynasty = 2 // index in fields

func readArchive(t testing.TB, limit int) []catalogued {
	t.Helper()
	f, err := os.Open("../../../../shared/data/walters.jsonl.gz")
	if err != nil {
		t.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []catalogued
	lines := bufio.NewScanner(z)
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var r map[string]any
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		var out catalogued
		out.title, _ = r["title"].(string)
		out.description, _ = r["description"].(string)
		for typ, f := range fields {
			list, _ := r[f].([]any)
			for _, v := range list {
				if s, ok := v.(string); ok {
					out.entities = append(out.entities, entity{typ, s})
				}
			}
		}
		all = append(all, out)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(limit, len(all))]
}

// part is what a record shows: its texts and entities.
type part struct {
	texts    []string
	entities []entity
}

// halves splits a record: every other sentence and entity goes to one half.
func halves(r catalogued) (a, b part) {
	a.texts = append(a.texts, r.title)
	for i, s := range strings.SplitAfter(r.description, ". ") {
		if i%2 == 0 {
			b.texts = append(b.texts, s)
		} else {
			a.texts = append(a.texts, s)
		}
	}
	for i, e := range r.entities {
		p := &a
		if i%2 == 1 {
			p = &b
		}
		p.texts = append(p.texts, e.label)
		p.entities = append(p.entities, e)
	}
	return a, b
}

func withoutDynasty(r catalogued) part {
	p := part{texts: []string{r.title, r.description}}
	for _, e := range r.entities {
		if e.typ != dynasty {
			p.entities = append(p.entities, e)
		}
	}
	return p
}

func whole(r catalogued) part {
	p := part{texts: []string{r.title, r.description}, entities: r.entities}
	for _, e := range r.entities {
		p.texts = append(p.texts, e.label)
	}
	return p
}

// sharing returns pairs of records that share an entity of one of the types which at most limit records have.
func sharing(records []catalogued, limit int, keep func(entity) bool) [][2]int {
	holders := map[entity][]int{}
	for i, r := range records {
		for _, e := range r.entities {
			if keep(e) && !slices.Contains(holders[e], i) {
				holders[e] = append(holders[e], i)
			}
		}
	}
	var out [][2]int
	for _, h := range holders {
		if len(h) > limit {
			continue
		}
		for i := range h {
			for j := range i {
				out = append(out, [2]int{h[j], h[i]})
			}
		}
	}
	slices.SortFunc(out, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	out = slices.Compact(out)
	rng := rand.New(rand.NewPCG(2, 2))
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(len(out), 4000)]
}
