package text

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spelling is a row of testdata/historical.tsv.
type spelling struct {
	kind, word, language, a, b, what string
	near                             bool
}

func spellings(t testing.TB) []spelling {
	t.Helper()
	raw, err := os.ReadFile("testdata/historical.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []spelling
	for n, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 7 || f[6] != "near" && f[6] != "far" {
			t.Fatalf("historical.tsv:%d: %q", n+1, line)
		}
		for i := range f {
			if strings.Contains(f[i], `\u`) {
				if f[i], err = strconv.Unquote(`"` + f[i] + `"`); err != nil {
					t.Fatalf("historical.tsv:%d: %v", n+1, err)
				}
			}
		}
		if f[2] == "-" {
			f[2] = ""
		}
		out = append(out, spelling{f[0], f[1], f[2], f[3], f[4], f[5], f[6] == "near"})
	}
	return out
}

// TestHistorical holds that spellings of one word are nearer than all but one
// in a thousand pairs of different words.
func TestHistorical(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	rows := spellings(t)
	vector := func(s, language string) []float32 {
		out := make([]float32, e.Dim())
		e.ProjectPlain(e.AnalyzeTexts([]Text{{s, language}}), out)
		return out
	}
	a, b := make([][]float32, len(rows)), make([][]float32, len(rows))
	for i, r := range rows {
		a[i], b[i] = vector(r.a, r.language), vector(r.b, r.language)
	}
	var unrelated []float64
	for i := range rows {
		for j := range i {
			if rows[i].word != rows[j].word {
				unrelated = append(unrelated, cosine(a[i], a[j]), cosine(a[i], b[j]), cosine(b[i], a[j]), cosine(b[i], b[j]))
			}
		}
	}
	slices.Sort(unrelated)
	limit := unrelated[len(unrelated)*999/1000]
	t.Logf("%d pairs of different words: median cosine %.3f, 99th percentile %.3f, 99.9th %.3f",
		len(unrelated), unrelated[len(unrelated)/2], unrelated[len(unrelated)*99/100], limit)

	type count struct{ near, all int }
	counts, kinds := map[string]count{}, []string{}
	near := 0
	for i, r := range rows {
		if !slices.Contains(kinds, r.kind) {
			kinds = append(kinds, r.kind)
		}
		c := counts[r.kind]
		c.all++
		cos := cosine(a[i], b[i])
		isNear := cos > limit
		if isNear {
			c.near++
			near++
		} else {
			t.Logf("far: %.3f %s and %s (%s: %s)", cos, r.a, r.b, r.kind, r.what)
		}
		counts[r.kind] = c
		if isNear != r.near {
			t.Errorf("%s and %s (%s): cosine %.3f, limit %.3f; expected near: %v", r.a, r.b, r.what, cos, limit, r.near)
		}
	}
	for _, k := range kinds {
		t.Logf("%-26s %3d of %3d near", k, counts[k].near, counts[k].all)
	}
	t.Logf("%-26s %3d of %3d near", "all", near, len(rows))
	if near < len(rows)*85/100 {
		t.Errorf("%d of %d pairs are near", near, len(rows))
	}
}
