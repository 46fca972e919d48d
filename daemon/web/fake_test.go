package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
	"kilim/daemon/browse"
	"kilim/daemon/browse/live"
	"kilim/daemon/browse/media"
	"kilim/daemon/browse/projection"
	"kilim/daemon/browse/search"
	"kilim/daemon/judgments"
	"kilim/daemon/queries"
	"kilim/learner/train/eval"
	"kilim/learner/train/registry"
	"kilim/rerank"
)

// fake answers from its fields, and remembers what it was asked.
type fake struct {
	mu       sync.Mutex
	asked    []string
	last     *profile.Artifact
	unready  error
	fail     func(id string) error
	panics   any
	blocks   func(ctx context.Context) // called by SimilarTo and Evaluate
	items    []rerank.Entry
	hub      *live.Hub
	judged   []judgments.Judgment
	standing []queries.Query
	learned  *LearnedAnswer // nil: lists are in the stated order
}

func (f *fake) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	if f.panics != nil {
		panic(f.panics)
	}
}

func (f *fake) lastAsked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) == 0 {
		return ""
	}
	return f.asked[len(f.asked)-1]
}

func (f *fake) err(id string) error {
	if f.fail == nil {
		return nil
	}
	return f.fail(id)
}

func (f *fake) block(ctx context.Context) {
	if f.blocks != nil {
		f.blocks(ctx)
	}
}

func (f *fake) Artifact(_ context.Context, id string) (any, bool, error) {
	f.note("artifact %q", id)
	if id == "missing" {
		return nil, false, nil
	}
	return map[string]string{"id": id}, true, f.err(id)
}

func (f *fake) Cultures(_ context.Context, kind, theme string, k int) (any, error) {
	f.note("cultures %s %q %d", kind, theme, k)
	return map[string]string{"kind": kind}, f.err(kind)
}

func (f *fake) Similar(_ context.Context, id, list string, k int) (*Answer, error) {
	f.note("similar %q %s %d", id, list, k)
	if err := f.err(id); err != nil {
		return nil, err
	}
	return &Answer{ID: id, List: list, Epoch: 3, Items: f.items}, nil
}

func (f *fake) SimilarTo(ctx context.Context, a *profile.Artifact, list string, k int) (*Answer, error) {
	f.note("similar to %q %s %d", a.ID, list, k)
	f.mu.Lock()
	f.last = a
	f.mu.Unlock()
	f.block(ctx)
	if err := f.err(a.ID); err != nil {
		return nil, err
	}
	return &Answer{ID: a.ID, List: list, Epoch: 3, Items: f.items}, nil
}

func (f *fake) Ask(ctx context.Context, a *profile.Artifact, k int) (*Asked, error) {
	f.note("ask %q with %d media %d", a.ID, len(a.Media), k)
	f.mu.Lock()
	f.last = a
	f.mu.Unlock()
	f.block(ctx)
	return &Asked{Lists: []browse.List{}}, f.err(a.ID)
}

func (of Subject) String() string {
	if of.Artifact != nil {
		return fmt.Sprintf("what is like %q", of.Artifact.ID)
	}
	return fmt.Sprintf("%q", of.ID)
}

func (f *fake) SimilarByTheme(_ context.Context, of Subject, theme string, k int) (*ThemeAnswer, error) {
	f.note("similar %v theme:%s %d", of, theme, k)
	if err := f.err(of.ID); err != nil {
		return nil, err
	}
	return &ThemeAnswer{ID: of.ID, List: "theme:" + theme, Epoch: 3, Items: []ThemeItem{}}, nil
}

func (f *fake) SimilarByWeights(_ context.Context, of Subject, weights map[string]float64, k int) (*WeightedAnswer, error) {
	f.note("similar %v by %v %d", of, weights, k)
	return &WeightedAnswer{ID: of.ID}, f.err(of.ID)
}

func (f *fake) Themes(context.Context) (*Themes, error) {
	f.note("themes")
	return &Themes{Themes: []Theme{{Name: "craft"}}}, f.err("")
}

func (f *fake) DeclareTheme(_ context.Context, name string, weak []string) error {
	f.note("declare %q %q", name, weak)
	return f.err(name)
}

func (f *fake) SimilarLearned(_ context.Context, of Subject, k int) (*LearnedAnswer, error) {
	if f.learned == nil {
		return nil, nil
	}
	f.note("learned %v %d", of, k)
	own := *f.learned // of which the server changes the id
	return &own, f.err(of.ID)
}

func (f *fake) Slowest(since time.Time) []SlowBatch {
	f.note("slowest since %s", since.Format(time.RFC3339))
	return []SlowBatch{{Revision: 7, Records: 2, FreshSeconds: 0.25, StageSeconds: map[string]float64{"commit": 0.125}}}
}

func (f *fake) Ranking(context.Context) (*Ranking, error) {
	f.note("ranking")
	return &Ranking{Phase: "idle", Least: 25}, f.err("")
}

func (f *fake) Evaluate(ctx context.Context, truth *eval.Truth, list string) (*eval.Report, error) {
	f.note("evaluate %s by %v", list, truth.Candidates())
	f.block(ctx)
	return &eval.Report{List: list, Queries: 3}, f.err("")
}

func (f *fake) Models(context.Context) (*Models, error) {
	f.note("models")
	return &Models{Serving: 3, Generation: 2, Models: []registry.Model{{Epoch: 3, State: registry.Promoted}}}, f.err("")
}

func (f *fake) Promote(_ context.Context, epoch uint32) error {
	f.note("promote %d", epoch)
	return f.err(fmt.Sprint(epoch))
}

func (f *fake) Rollback(_ context.Context, epoch uint32) error {
	f.note("roll back to %d", epoch)
	return f.err(fmt.Sprint(epoch))
}

func (f *fake) StandingQueries(context.Context) (*StandingQueries, error) {
	f.note("standing queries")
	out := &StandingQueries{Queries: []StandingQuery{}, Complete: true, Most: queries.MostQueries}
	for _, q := range f.standing {
		out.Queries = append(out.Queries, StandingQuery{Name: q.Name, By: q.By})
	}
	return out, f.err("standing queries")
}

func (f *fake) StandingQuery(_ context.Context, name string) (*StandingQuery, error) {
	f.note("standing query %q", name)
	for _, q := range f.standing {
		if q.Name == name {
			return &StandingQuery{Name: q.Name, By: q.By, Record: q.Record}, f.err(name)
		}
	}
	return nil, ErrNotFound
}

func (f *fake) AddQuery(_ context.Context, q *queries.Query) error {
	f.note("add %q", q.Name)
	if err := f.err(q.Name); err != nil {
		return err
	}
	f.standing = append(f.standing, *q)
	return nil
}

func (f *fake) RemoveQuery(_ context.Context, name string) error {
	f.note("remove %q", name)
	return f.err(name)
}

func (f *fake) Judgments(_ context.Context, id string) ([]judgments.Judgment, error) {
	f.note("judgments of %q", id)
	return f.judged, f.err(id)
}

func (f *fake) Judge(_ context.Context, j *judgments.Judgment) error {
	f.note("judge %s %v by %s", j.Key(), j.Grade, j.By)
	return f.err(j.A)
}

func (f *fake) Unjudge(_ context.Context, a, b, theme string) error {
	f.note("unjudge %s %s %s", a, b, theme)
	return f.err(a)
}

func (f *fake) Status(context.Context) (*Status, error) {
	f.note("status")
	return &Status{Artifacts: 7, Nodes: map[string]int{"artifact": 7}, Edges: map[string]int{}}, f.err("")
}

func (f *fake) Ready() error { return f.unready }

func newServer(t testing.TB, f *fake) *Server {
	t.Helper()
	return serverOf(t, Config{Addr: "127.0.0.1:0", Version: "v1 <&>"}, f)
}

func serverOf(t testing.TB, cfg Config, f *fake) *Server {
	t.Helper()
	s, err := New(cfg, f, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request to the handler; target is the raw request target.
func ask(t *testing.T, h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// errorText is the text of a JSON error; it fails when the answer is not one.
func errorText(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var e struct {
		Error *string `json:"error"`
	}
	b, _ := io.ReadAll(w.Result().Body)
	if err := json.Unmarshal(b, &e); err != nil || e.Error == nil || *e.Error == "" {
		t.Fatalf("status %d: not an error: %s (%v)", w.Code, b, err)
	}
	if ct := w.Result().Header.Get("Content-Type"); ct != "application/json; charset=utf-8" {
		t.Errorf("content type %q", ct)
	}
	return *e.Error
}

func (f *fake) Lists(context.Context) ([]ListInfo, error) {
	f.note("lists")
	return []ListInfo{{Name: rerank.ListGeneral}}, f.err("")
}

func (f *fake) List(_ context.Context, id, name string, weights map[string]float64, k int) (*browse.List, error) {
	f.note("list %q %q %v %d", id, name, weights, k)
	return &browse.List{Name: name}, f.err(id)
}

func (f *fake) View(_ context.Context, id string, k int) (*browse.View, error) {
	f.note("view %q %d", id, k)
	return &browse.View{Card: browse.Card{ID: id}}, f.err(id)
}

func (f *fake) Card(_ context.Context, id string) (*browse.Card, error) {
	f.note("card %q", id)
	return &browse.Card{ID: id}, f.err(id)
}

func (f *fake) History(_ context.Context, id, list string, since time.Time) (*browse.History, error) {
	f.note("history %q %s %s", id, list, since.Format(time.RFC3339Nano))
	return &browse.History{}, f.err(id)
}

func (f *fake) Why(_ context.Context, one, other string) (*browse.Why, error) {
	f.note("why %q %q", one, other)
	return &browse.Why{}, f.err(one)
}

func (f *fake) Search(_ context.Context, q search.Query) (*Found, error) {
	f.note("search %+v", q)
	return &Found{Items: []browse.Card{{ID: "a"}}}, f.err(q.Words)
}

func (f *fake) Values(context.Context) (map[string][]search.Value, error) {
	f.note("values")
	return nil, f.err("")
}

func (f *fake) Medium(_ context.Context, id string, place int) (*media.Medium, error) {
	f.note("medium %q %d", id, place)
	return &media.Medium{Type: "audio/wav", Data: []byte("0123456789"), Tag: "t"}, f.err(id)
}

func (f *fake) Picture(_ context.Context, id string, place, side int) (*media.Medium, error) {
	f.note("picture %q %d %d", id, place, side)
	return &media.Medium{Type: "image/jpeg", Data: []byte("0123456789"), Tag: "t"}, f.err(id)
}

func (f *fake) Look(after string, in live.Interest) (*live.Viewer, error) {
	f.note("look %q", after)
	if err := f.err(after); err != nil {
		return nil, err
	}
	return f.hub.Open(after, in)
}

func (f *fake) Map(_ context.Context, theme string, edition int64, version int) (*Map, error) {
	f.note("map %q %d %d", theme, edition, version)
	return &Map{}, f.err("")
}

func (f *fake) MapPoints(_ context.Context, theme string) ([]byte, error) {
	f.note("map points %q", theme)
	return append([]byte{7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0}, "xxyy"...), f.err("")
}

func (f *fake) MapSlots(_ context.Context, theme string) ([]byte, error) {
	f.note("map slots %q", theme)
	return []byte("edition.another."), f.err("")
}

func (f *fake) MapColours(_ context.Context, theme, field string) (*MapColours, []byte, error) {
	f.note("map colours %q %q", theme, field)
	return &MapColours{Edition: 7, Field: field, Values: []projection.Value{{Label: "<b>\n", Count: 1}}}, []byte{1, '\n', 2}, f.err(field)
}

func (f *fake) MapPoint(_ context.Context, of MapPlace, list string, k int) (*MapPoint, error) {
	f.note("map point %+v %q %d", of, list, k)
	return &MapPoint{}, f.err(of.ID)
}
