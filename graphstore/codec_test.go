package graphstore

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestRowsRefuseDamage cuts each kind of row off at every length and changes
// its version: the decoders say so and never panic.
func TestRowsRefuseDamage(t *testing.T) {
	t.Parallel()
	n := &Node{Type: Culture, Key: "ming", Labels: []Label{{"Ming", 3}}, Degree: 300, Members: 300,
		Features: []float32{1, float32(math.Inf(1))}, Sum1: []int64{-1, math.MaxInt64}, Hidden: []float32{0}, EncodedAt: 1.5}
	st := &state{nextSeq: 9, nextDelta: 4}
	st.counts.nodes[Culture] = 1000
	for name, row := range map[string]struct {
		b      []byte
		decode func([]byte) error
	}{
		"node":      {encodeNode(n), func(b []byte) error { _, _, err := decodeNode(1, b); return err }},
		"embedding": {nodeParts[0].encode(n), func(b []byte) error { return nodeParts[0].take(new(Node), b) }},
		"vectors":   {nodeParts[1].encode(n), func(b []byte) error { return nodeParts[1].take(new(Node), b) }},
		"third layer": {nodeParts[2].encode(&Node{Third: &Third{Hidden: []float32{1, 2}, Sum: []int64{-3, 1 << 40}}}),
			func(b []byte) error { return nodeParts[2].take(new(Node), b) }},
		"node of one member": {encodeNode(&Node{Type: Culture, Key: "ming", Members: 1, Features: []float32{1}, Hidden: []float32{0}}),
			func(b []byte) error { _, _, err := decodeNode(1, b); return err }},
		"edges":  {encodeEdges([]edgeChange{{edgeEnd: edgeEnd{RelLink, 7}, detail: &detail{[]string{"a", "b"}, []string{"c"}}}}), func(b []byte) error { _, err := decodeEdges(b); return err }},
		"doc":    {encodeDoc(&Doc{ID: "x", Timestamp: time.Unix(1, 2), Evidence: []byte("e")}), func(b []byte) error { _, err := decodeDoc(b); return err }},
		"number": {encodeNumber(1 << 40), func(b []byte) error { _, err := decodeNumber(b); return err }},
		"push":   {encodePush(Push{Weight: 1}), func(b []byte) error { _, err := decodePush(1, b); return err }},
		"state":  {encodeState(st), func(b []byte) error { _, err := decodeState(b); return err }},
		"terms":  {encodeTerms([]termCount{countTerm(5, 1), countTerm(70000, -2)}), func(b []byte) error { _, err := decodeTerms(nil, b); return err }},
		"chunk": {encodeChunk([]op{{[]byte("k"), []byte("v")}, {[]byte("gone"), nil}}, 10),
			func(b []byte) error { _, err := decodeChunk(nil, b); return err }},
	} {
		if err := row.decode(row.b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range row.b {
			if row.decode(row.b[:i]) == nil {
				t.Errorf("%s cut off after %d of %d bytes was accepted", name, i, len(row.b))
			}
		}
		if row.decode(append(row.b, 0)) == nil {
			t.Errorf("%s with a byte too many was accepted", name)
		}
		foreign := append([]byte{rowVersion + 1}, row.b[1:]...)
		if err := row.decode(foreign); err == nil || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("%s of another version: %v", name, err)
		}
	}
}

// TestSumsSurvive takes sums of each width, at its bounds and in all lengths that end within 8 bytes of the row's end.
func TestSumsSurvive(t *testing.T) {
	t.Parallel()
	for width := 1; width <= 8; width++ {
		most := int64(1)<<(8*width-1) - 1
		for n := 1; n < 20; n++ {
			want := make([]int64, n)
			for i := range want {
				want[i] = []int64{most, -most - 1, 0, -1, most / 3}[i%5]
			}
			row := appendInt64s(nil, want)
			if len(row) != 2+n*width {
				t.Errorf("%d numbers of %d bytes take %d", n, width, len(row))
			}
			d := decoder{b: row}
			if got := d.int64s(); !slices.Equal(got, want) || d.end() != nil {
				t.Errorf("%v became %v (%v)", want, got, d.err)
			}
		}
	}
}

// TestTermsAreSummed takes few and many terms, of buckets with any digits.
func TestTermsAreSummed(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, fewTerms, fewTerms + 1, 5000} {
		want := map[uint32]int32{}
		var terms []termCount
		for range n {
			bucket, count := uint32(rng.IntN(n))<<rng.IntN(33), int32(rng.IntN(5)-2)
			terms = append(terms, countTerm(bucket, count))
			want[bucket] += count
		}
		maps.DeleteFunc(want, func(_ uint32, count int32) bool { return count == 0 })
		var got []uint32
		for _, term := range sumTerms(terms) {
			got = append(got, term.bucket())
			if term.count() != want[term.bucket()] {
				t.Errorf("%d terms: bucket %d has %d, want %d", n, term.bucket(), term.count(), want[term.bucket()])
			}
		}
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Errorf("%d terms: %d buckets, want %d, in order", n, len(got), len(want))
		}
	}
}

func FuzzDecodeNode(f *testing.F) {
	for members := range uint32(3) {
		example := &Node{Type: Artifact, Key: "x", Members: members, Features: []float32{2}, Sum1: []int64{3}, Embedding: []float32{1}}
		if members == 1 {
			example.Third = &Third{Hidden: []float32{4}, Sum: []int64{5}}
		}
		f.Add(encodeNode(example), nodeParts[0].encode(example), nodeParts[1].encode(example), nodeParts[2].encode(example))
	}
	f.Fuzz(func(t *testing.T, b, embedding, vectors, third []byte) {
		decode := func(rows ...[]byte) (*Node, error) {
			n, parts, err := decodeNode(1, rows[0])
			for i := range nodeParts {
				if p := &nodeParts[i]; err == nil && parts&p.flag != 0 {
					err = p.take(n, rows[1+i])
				}
			}
			return n, err
		}
		n, err := decode(b, embedding, vectors, third)
		if err != nil {
			return
		}
		again, err := decode(encodeNode(n), nodeParts[0].encode(n), nodeParts[1].encode(n), nodeParts[2].encode(n))
		if err != nil || !sameNode(again, n) && !math.IsNaN(n.EncodedAt+n.Drift+n.DriftBound+n.Epsilon) {
			t.Errorf("%+v became %+v (%v)", n, again, err)
		}
	})
}

// TestTimesSurvive: the zero time, 1970, far times and nanoseconds are kept apart.
func TestTimesSurvive(t *testing.T) {
	t.Parallel()
	for _, want := range []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 999), time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC)} {
		doc, err := decodeDoc(encodeDoc(&Doc{Timestamp: want}))
		if err != nil || !doc.Timestamp.Equal(want) || doc.Timestamp.IsZero() != want.IsZero() {
			t.Errorf("%v became %v (%v)", want, doc.Timestamp, err)
		}
	}
}

func TestNormalizeLabel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  Ming \t Dynasty\n": "ming dynasty", "Straße": "strasse", "ﬁne": "fine", "Ａ\u3000Ｂ": "a b",
		"E\u0301tude": "étude", "": "", "  ": "", "ΣΑΣ": "σασ",
	} {
		if got := NormalizeLabel(in); got != want {
			t.Errorf("NormalizeLabel(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNormalizeASCII: strings of ASCII are normalized as all are.
func TestNormalizeASCII(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 8))
	for range 100_000 {
		b := make([]byte, rng.IntN(8))
		for i := range b {
			if b[i] = byte(rng.IntN(utf8.RuneSelf)); rng.IntN(3) == 0 {
				b[i] = ' '
			}
		}
		if got, want := normalizeASCII(string(b)), normalizeAny(string(b)); got != want {
			t.Fatalf("%q becomes %q, want %q", b, got, want)
		}
	}
}

func FuzzNormalizeLabel(f *testing.F) {
	f.Add("Straße ﬁ \u0345\u0130")
	f.Fuzz(func(t *testing.T, s string) {
		once := NormalizeLabel(s)
		if twice := NormalizeLabel(once); twice != once {
			t.Errorf("%q: %q, then %q", s, once, twice)
		}
	})
}

// TestIdentity pins ids, which are on disk: printf "type\\0rug" | sha256sum.
func TestIdentity(t *testing.T) {
	t.Parallel()
	if got := ID(Kind, "rug"); got != 0x303d29f17d4f63bf {
		t.Errorf("ID(type, rug) = %016x", uint64(got))
	}
}

// TestNames: every type and relation has a name of its own.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for typ := Artifact; typ < numTypes; typ++ {
		name := typ.String()
		if seen[name] || strings.Contains(name, "-") {
			t.Errorf("type %d: name %q", typ, name)
		}
		seen[name] = true
	}
	if got := (RelLink | Inverse).String(); got != "inverse-link" {
		t.Errorf("inverse link: %q", got)
	}
	if RelMedia.String() != "media" || Relation(Kind).String() != "type" || Picture-Culture != 13 {
		t.Errorf("names: %s, %s; %d types of entities", RelMedia, Relation(Kind), Picture-Culture)
	}
}
