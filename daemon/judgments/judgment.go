package judgments

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"kilim/consumer/profile"
)

// Judgment says how alike two artifacts are.
type Judgment struct {
	A string `json:"a"`
	B string `json:"b"`
	// Grade is 0 for not alike, and the more the more alike, up to MostGrade.
	Grade float64 `json:"grade"`
	// Theme is what they are alike in; empty: in general.
	Theme string `json:"theme,omitempty"`
	// By names who says so.
	By string `json:"by"`
}

// MostGrade is the largest grade.
const MostGrade = 10

// mostName bounds a theme and a name of who judges.
const mostName = 256

// Parse reads a Judgment from JSON. Its error names the field and the value.
func Parse(raw []byte) (*Judgment, error) {
	var in struct {
		A     *string  `json:"a"`
		B     *string  `json:"b"`
		Grade *float64 `json:"grade"`
		Theme string   `json:"theme"`
		By    string   `json:"by"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("judgment %.100q: %w", raw, err)
	}
	switch {
	case in.A == nil:
		return nil, fmt.Errorf("a: is missing")
	case in.B == nil:
		return nil, fmt.Errorf("b: is missing")
	case in.Grade == nil:
		return nil, fmt.Errorf("grade: is missing")
	}
	j := &Judgment{A: *in.A, B: *in.B, Grade: *in.Grade, Theme: in.Theme, By: in.By}
	if err := j.Check(); err != nil {
		return nil, err
	}
	return j, nil
}

// Check refuses what can't be a Judgment, and puts A before B: a pair has no order.
func (j *Judgment) Check() error {
	if err := checkPair(&j.A, &j.B, j.Theme); err != nil {
		return err
	}
	if math.IsNaN(j.Grade) || j.Grade < 0 || j.Grade > MostGrade {
		return fmt.Errorf("grade: %v: want 0 (not alike) to %d", j.Grade, MostGrade)
	}
	if strings.TrimSpace(j.By) == "" {
		return fmt.Errorf("by: %q: want a name", j.By)
	}
	return checkName("by", j.By)
}

// checkPair puts the ids in their order.
func checkPair(a, b *string, theme string) error {
	for _, id := range [...]struct{ field, value string }{{"a", *a}, {"b", *b}} {
		// CheckID returns a *Refusal, and a nil one would be an error that is not nil.
		if refusal := profile.CheckID(id.field, id.value, profile.DefaultLimits()); refusal != nil {
			return refusal
		}
	}
	if *a == *b {
		return fmt.Errorf("b: %q: is a, too", *b)
	}
	if *b < *a {
		*a, *b = *b, *a
	}
	return checkName("theme", theme)
}

func checkName(field, name string) error {
	switch {
	case len(name) > mostName:
		return fmt.Errorf("%s: %.40q...: %d bytes, the limit is %d", field, name, len(name), mostName)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s: %q: not UTF-8", field, name)
	case strings.IndexFunc(name, unicode.IsControl) >= 0:
		return fmt.Errorf("%s: %q: with control characters", field, name)
	}
	return nil
}

// Key is that of the record of a Judgment: a|b, and a|b|theme where it has a theme, so that what is said in a theme does not replace what is said in
// general. A "|" within an id is written %7C and a "%" is %25: two pairs never have one key.
func (j *Judgment) Key() string { return keyOf(j.A, j.B, j.Theme) }

var escaped = strings.NewReplacer("%", "%25", "|", "%7C")

func keyOf(a, b, theme string) string {
	key := escaped.Replace(a) + "|" + escaped.Replace(b)
	if theme != "" {
		key += "|" + escaped.Replace(theme)
	}
	return key
}

// value is that of the record.
func (j *Judgment) value() ([]byte, error) { return json.Marshal(j) }
