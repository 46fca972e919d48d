package weave

import (
	"bufio"
	"bytes"
	"encoding/json"
	"html"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kilim/consumer/profile"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // compared by words
		`<p class="desc">Bronze <b>mirror</b> with lotus<br/>handle</p>`: "Bronze mirror with lotus handle",
		"one<br>two<BR />three<p>four":                                   "one two three four",
		"K<i>ilim</i> 10<sup>th</sup>":                                   "Kilim 10th",
		"<ul><li>one</li><li>two</li></ul>":                              "one two",
		"<td>one</td><td>two</td>":                                       "one two",
		"cut <i>off":                                                     "cut off",
		"<a href='x>y' title=\"a<b\">link</a>":                           "link",
		"<img src=x.jpg alt=\"vase\"/>vase":                              "vase",
		"<img\n src=x\t>vase":                                            "vase",
		"a <!-- no <b> word --> b":                                       "a b",
		"a <!-- never ended":                                             "a <!-- never ended",
		"<script>var a = '<b>';</script>x<STYLE type=a>p {}</style >y":   "x y",
		"<script>never ended":                                            "<script>never ended",
		"<![CDATA[Bronze <b>]]> mirror":                                  "Bronze mirror",
		"<!DOCTYPE html><html><body>x</body></html>":                     "x",
		"<?xml version='1.0'?>x":                                         "x",
		`<emph render="italic">x</emph> <tei:persName>y</tei:persName>`:  "x y",
		"<o:p></o:p>x<lb/>y":                                             "x y",
		"Arts &amp; Crafts, caf&eacute;, &#233;&#xe9;, &quot;x&quot;":    `Arts & Crafts, café, éé, "x"`,
		"a&nbsp;b":                                        "a b",
		"&lt;p&gt;Bronze&lt;/p&gt;":                       "Bronze",
		"&amp;lt;p&amp;gt;Bronze &amp;amp; gold":          "Bronze & gold",
		"a < b and c > d":                                 "a < b and c > d",
		"a <b and c> d":                                   "a <b and c> d",
		"a<5, b>3":                                        "a<5, b>3",
		"inscribed <Athena>, <Figure>, <sic>":             "inscribed <Athena>, <Figure>, <sic>",
		"<1890> <-- <> </> < / >":                         "<1890> <-- <> </> < / >",
		"<mail@example.org> <http://x/y>":                 "<mail@example.org> <http://x/y>",
		"R&D, AT&T, AT&TRADE, &copy 1900, & ;, &nothing;": "R&D, AT&T, AT&TRADE, &copy 1900, & ;, &nothing;",
		"Q&A; B&W; a && b;":                               "Q&A; B&W; a && b;",
		"a &lt; b":                                        "a < b",
		"<p":                                              "<p",
		"<p class=":                                       "<p class=",
		"<p class=\"x":                                    "<p class=\"x",
		"<":                                               "<",
		"&":                                               "&",
		"<br class=x/>y":                                  "y",
		"":                                                "",
	} {
		if got := Plain(in); strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("%s\n reads %q\n want  %q", in, got, want)
		}
	}
}

// Markup around plain text leaves the text, whatever it is.
func TestPlainTakesOutWhatWasPutIn(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 18))
	words := []string{"bronze", "a<5", "R&D", "café", "<Athena>", "&", "x;", "\"q\"", "1890–1900", "كوفي", "'", ">"}
	wraps := [][2]string{{"<p>", "</p>"}, {"<div class='a b'>", "</div>"}, {"<b>", "</b>"}, {"<span style=\"x:y\">", "</span>"}, {"", "<br/>"},
		{"<!-- c -->", ""}, {"<ead:p a=1>", "</ead:p>"}, {"", "&nbsp;"}, {"<ul><li>", "</ul>"}}
	for range 2000 {
		var want []string
		var in strings.Builder
		for range 1 + rng.IntN(8) {
			w, wrap := words[rng.IntN(len(words))], wraps[rng.IntN(len(wraps))]
			want = append(want, w)
			in.WriteString(wrap[0] + html.EscapeString(w) + wrap[1] + " ")
		}
		// Escaped once more, as a whole.
		for _, text := range []string{in.String(), html.EscapeString(in.String())} {
			if got := strings.Join(strings.Fields(Plain(text)), " "); got != strings.Join(want, " ") {
				t.Fatalf("%s\n reads %q\n want  %q", text, got, want)
			}
		}
	}
}

// A text made to be slow takes no longer than a long one.
func TestPlainIsLinear(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"<!--", "<![CDATA[", "<!doctype", "<script>", "</script><script>", "<a b=\"", "<a b=\"<a b= \" c=", "<a b='<a b=\"x\"' ", "</a", "<", "&", "&amp",
		"&amp;lt;", "<p a=x ", "<a  ", "<x></x"} {
		s := strings.Repeat(part, 1<<20/len(part))
		start := time.Now()
		Plain(s)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("a MiB of %q takes %v", part, took)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"<p a='b'>x</p>", "&amp;lt;b&amp;gt;", "a < b", "<!-- x", "<script>x</script", "\xff<b>\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Plain(s)
		if !strings.ContainsAny(s, "<&") && got != s {
			t.Fatalf("%q becomes %q", s, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("%q becomes %q, which is no UTF-8", s, got)
		}
		if len(got) > 2*len(s) { // the longest character of an entity is shorter than its name
			t.Fatalf("%q becomes longer: %q", s, got)
		}
	})
}

// Texts, what an encoder of whole texts reads, and the pieces of training agree on what is read.
func TestMarkupIsNotRead(t *testing.T) {
	t.Parallel()
	marked, err := profile.Parse([]byte(`{"title":"<i>Kilim</i> &amp; rug","description":"<p>One.</p> <p>Two&nbsp;x</p>","culture":"Arts &amp; Crafts",
		"date":{"text":"<b>1890</b>"},"media":{"kind":"text","text":"<br/>"}}`), "a", profile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var texts, pieces []string
	for _, x := range Texts(marked) {
		texts = append(texts, strings.Fields(x.Body)...)
	}
	for _, p := range Pieces(marked) {
		for _, x := range p.Texts {
			pieces = append(pieces, strings.Fields(x.Body)...)
		}
	}
	const want = "Kilim & rug One. Two x Arts & Crafts 1890"
	for name, got := range map[string]string{
		"texts": strings.Join(texts, " "), "pieces": strings.Join(pieces, " "), "joined": strings.Join(strings.Fields(Joined(marked)), " "),
	} {
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if e := Edges(marked)[0]; e.Label != "Arts &amp; Crafts" {
		t.Errorf("an entity's label is %q, want it as received", e.Label)
	}
}

// The records that others report: with markup and without it the same words are read.
func TestReportedMarkup(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../shared/cases/records/html-counts-as-words.json")
	if err != nil {
		t.Skipf("no cases here: %v", err)
	}
	var records []struct{ Value string }
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, r := range records[:2] {
		a, err := profile.Parse([]byte(r.Value), "", profile.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, strings.Join(strings.Fields(Joined(a)), " "))
	}
	if read[0] != read[1] {
		t.Errorf("with markup %q, without %q", read[0], read[1])
	}
}

// BenchmarkTexts measures what is read of real records: of all, nearly none of which has markup, and of the same with markup
// put around each word of their descriptions.
func BenchmarkTexts(b *testing.B) {
	f, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		b.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	in, err := profile.Feed(f)
	if err != nil {
		b.Fatal(err)
	}
	var plain, marked []*profile.Artifact
	for lines := bufio.NewScanner(in); lines.Scan(); {
		a, err := profile.Parse(bytes.Clone(lines.Bytes()), "", profile.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		plain = append(plain, a)
		m := *a
		m.Description = "<p>" + strings.Join(strings.Fields(a.Description), "</p> <p class='x'>") + "</p>"
		marked = append(marked, &m)
	}
	for name, list := range map[string][]*profile.Artifact{"plain": plain, "marked": marked} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				Texts(list[i%len(list)])
			}
		})
	}
}
