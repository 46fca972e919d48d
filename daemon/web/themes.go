package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kilim/consumer/profile"
	"kilim/rerank"
)

// ThemeService answers what is asked about themes.
type ThemeService interface {
	// SimilarByTheme returns the first k of those that are like an artifact in a theme. A theme that is not there is ErrUnknownList, one that is being
	// learned ErrUnavailable.
	SimilarByTheme(ctx context.Context, of Subject, theme string, k int) (*ThemeAnswer, error)
	// SimilarByWeights orders the list total by themes too, each by its weight. Without weights each artifact's themes count by configuration, or as the gate says.
	SimilarByWeights(ctx context.Context, of Subject, weights map[string]float64, k int) (*WeightedAnswer, error)
	// Themes tells which themes there are.
	Themes(ctx context.Context) (*Themes, error)
	// DeclareTheme has a theme learned.
	DeclareTheme(ctx context.Context, name string, weak []string) error
}

// Subject is whom a list is asked for: a stored artifact by its ID, or an Artifact that is not stored.
type Subject struct {
	ID       string
	Artifact *profile.Artifact
}

// ThemeAnswer is a list of artifacts that are alike in a theme, best first.
type ThemeAnswer struct {
	ID   string `json:"id"`
	List string `json:"list"`
	// Presence is the probability that the artifact has a term of the theme at all. Where the theme does not apply there are no items.
	Presence float64 `json:"presence"`
	Applies  bool    `json:"applies"`
	// Partial: the theme is new, and the list is of some artifacts with labels of it, until the profiles of all are made.
	Partial bool        `json:"partial,omitempty"`
	Model   ThemeModel  `json:"model"`
	Epoch   uint32      `json:"epoch"` // of the model of embeddings
	Items   []ThemeItem `json:"items"`
}

// ThemeItem is one place of such a list. Score is the sum of Parts, to the bit when they are added in their order.
type ThemeItem struct {
	ID    string     `json:"id"`
	Score float64    `json:"score"`
	Parts ThemeParts `json:"parts"`
	// Shared are the terms that both are likely to have, which are the reason: what says most first.
	Shared []SharedTerm `json:"shared"`
}

// ThemeParts are the addends of a score.
type ThemeParts struct {
	Terms      float64 `json:"terms"`
	Neighbours float64 `json:"neighbours"`
	Profile    float64 `json:"profile"`
	Words      float64 `json:"words"`
}

// SharedTerm is a term with the probabilities by which the artifact that asks and the other one have it.
type SharedTerm struct {
	Term   string  `json:"term"`
	Asking float64 `json:"asking"`
	Other  float64 `json:"other"`
}

// WeightedAnswer is the list total, ordered by themes too.
type WeightedAnswer struct {
	ID   string `json:"id"`
	List string `json:"list"`
	// Applies are the weighted themes that apply to the artifact; the others add nothing.
	Applies []string `json:"applies"`
	// Weights are what each theme counts.
	Weights map[string]float64 `json:"weights"`
	Epoch   uint32             `json:"epoch"`
	Items   []WeightedItem     `json:"items"`
}

// WeightedItem is one place of it. Score is the sum of Parts, to the bit when they are added in the order in which they stand: "evidence", the score
// in total, and "theme:NAME", that theme's score times its weight.
type WeightedItem struct {
	ID    string             `json:"id"`
	Score float64            `json:"score"`
	Parts map[string]float64 `json:"parts"`
}

// Themes are those that were declared or seen, and where the learning of them stands.
type Themes struct {
	ThemesStatus
	Model  *ThemeModel `json:"model,omitempty"` // that serves
	Themes []Theme     `json:"themes"`          // by name
}

// ThemeModel is what the themes were learned from.
type ThemeModel struct {
	// ID names the model: those of one ID are the same.
	ID   string    `json:"id"`
	Made time.Time `json:"made"`
	// Works is how many artifacts with labels it was fitted to.
	Works int `json:"works"`
}

// Theme is one of them.
type Theme struct {
	Name string `json:"name"`
	// State is served, waiting (it is being learned) or few (too few labels).
	State string `json:"state"`
	// Labelled artifacts have labels of it, and Terms are predicted.
	Labelled int      `json:"labelled"`
	Terms    int      `json:"terms"`
	Declared bool     `json:"declared"`
	Weak     []string `json:"weak,omitempty"`
	// Fault says why the lists of the theme are not stored or published, while they are not.
	Fault string `json:"fault,omitempty"`
}

// ThemesStatus is where the learning of themes stands.
type ThemesStatus struct {
	// Phase is idle, reading (the archive), fitting or profiling (the artifacts), and Ratio how much of that is done.
	Phase string  `json:"phase"`
	Ratio float64 `json:"ratio"`
	// Served themes have lists, of Profiles artifacts. Of Waiting artifacts the last change is not in them yet.
	Served   int `json:"served"`
	Profiles int `json:"profiles"`
	Waiting  int `json:"waiting"`
	// Lists are stored and published. Those of Due artifacts are to be made anew, by another model say.
	Lists int `json:"lists"`
	Due   int `json:"due"`
	// Age is that of the model in seconds; 0: there is none.
	Age float64 `json:"model_age_seconds"`
}

const (
	themePrefix = "theme:"
	// declarationBytes bounds the body of a declaration.
	declarationBytes = 64 << 10
	// mostWeights is how many themes may be weighted, and mostWeight what one may count at most.
	mostWeights, mostWeight = 32, 1000.0
)

// byTheme answers for a list of a theme, and for total with weights. It is done unless another list is asked for.
func (s *Server) byTheme(w http.ResponseWriter, r *http.Request, of Subject, list string, k int) (done bool, err error) {
	theme, themed := strings.CutPrefix(list, themePrefix)
	weights, err := weightsFor(r.URL, list)
	switch {
	case err != nil:
		return true, err
	case weights != nil:
		a, err := s.service.SimilarByWeights(r.Context(), of, weights, k)
		if err != nil {
			return true, err
		}
		a.ID = cmp.Or(a.ID, queryID)
		return true, writeJSON(w, http.StatusOK, a)
	case themed:
		a, err := s.service.SimilarByTheme(r.Context(), of, theme, k)
		if err != nil {
			return true, err
		}
		a.ID = cmp.Or(a.ID, queryID)
		return true, writeJSON(w, http.StatusOK, a)
	}
	return false, nil
}

// autoWeights in place of weights: what themes count is not for who asks to say.
const autoWeights = "auto"

// weightsFor are those that a list is asked for with, nil without, and empty where they are not for who asks to say.
func weightsFor(u *url.URL, list string) (map[string]float64, error) {
	switch {
	case !u.Query().Has("weights"):
		return nil, nil
	case list != rerank.ListTotal:
		return nil, fail(http.StatusBadRequest, "weights: are for the list total, not for %q", list)
	}
	if u.Query().Get("weights") == autoWeights {
		return map[string]float64{}, nil
	}
	return parseWeights(u)
}

// parseWeights reads NAME:WEIGHT,NAME:WEIGHT. A name may have commas and colons in it: it ends with the first ":WEIGHT" that a comma or the end follows.
func parseWeights(u *url.URL) (map[string]float64, error) {
	text := u.Query().Get("weights")
	out := map[string]float64{}
	name := ""
	for piece := range strings.SplitSeq(text, ",") {
		if name += piece; name == "" {
			break
		}
		at := strings.LastIndexByte(piece, ':')
		weight, err := strconv.ParseFloat(piece[at+1:], 64)
		if at < 0 || err != nil {
			name += ","
			continue
		}
		name = name[:len(name)-len(piece)+at]
		if name == "" || !(math.Abs(weight) <= mostWeight) {
			return nil, fail(http.StatusBadRequest, "weights %q: want NAME:WEIGHT with a weight from -%g to %g", text, mostWeight, mostWeight)
		}
		if _, twice := out[name]; twice {
			return nil, fail(http.StatusBadRequest, "weights %q: theme %q is given twice", text, name)
		}
		out[name], name = weight, ""
	}
	if name != "" || len(out) == 0 || len(out) > mostWeights {
		return nil, fail(http.StatusBadRequest, "weights %q: want NAME:WEIGHT,NAME:WEIGHT of at most %d themes", text, mostWeights)
	}
	return out, nil
}

// themes tells which themes there are; by POST it declares one.
func (s *Server) themes(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	code := http.StatusOK
	if r.Method == http.MethodPost {
		code = http.StatusAccepted
		var d struct {
			Name string   `json:"name"`
			Weak []string `json:"weak"`
		}
		if err := readBody(w, r, &d); err != nil {
			return err
		}
		if err := s.service.DeclareTheme(r.Context(), d.Name, d.Weak); err != nil {
			return err
		}
	}
	t, err := s.service.Themes(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, code, t)
}

// readBody reads one JSON object whose fields are all known.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, declarationBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fail(http.StatusBadRequest, "body: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err = dec.Decode(into); err == nil && dec.More() {
		err = fmt.Errorf("more than one value")
	}
	if err != nil {
		return fail(http.StatusBadRequest, "body: %v: want {\"name\": NAME, \"weak\": [FIELD, ...]}", err)
	}
	return nil
}
