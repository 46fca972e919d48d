package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/goccy/go-yaml"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/browse"
	"kilim/daemon/browse/live"
	"kilim/daemon/browse/search"
	"kilim/daemon/judgments"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/web"
	"kilim/learner/train/eval"
)

// described is a daemon's own description of its API, which lets no object have fields that are not described.
type described struct {
	*daemon
	doc *openapi3.T
	// answered are the operations that have answered with success.
	answered map[string]bool
}

func (d *daemon) described() *described {
	d.t.Helper()
	_, _, body := d.request(http.MethodGet, "/api/v1/openapi.yaml", "", nil)
	var parsed any
	err := yaml.Unmarshal(body, &parsed)
	if err != nil {
		d.t.Fatal(err)
	}
	forbidMore(parsed)
	if body, err = json.Marshal(parsed); err != nil {
		d.t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		d.t.Fatal(err)
	}
	return &described{d, doc, map[string]bool{}}
}

func forbidMore(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, sub := range v {
			forbidMore(sub)
		}
		if _, ok := v["additionalProperties"]; !ok && v["type"] == "object" && v["properties"] != nil {
			v["additionalProperties"] = false
		}
	case []any:
		for _, sub := range v {
			forbidMore(sub)
		}
	}
}

func (d *daemon) request(method, target, contentType string, body []byte) (*http.Request, *http.Response, []byte) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), hang)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+d.app.HTTP().String()+target, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer []byte
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // which does not end
		if answer, err = io.ReadAll(res.Body); err != nil {
			d.t.Fatal(err)
		}
	}
	return r, res, answer
}

// question is a request of an operation of the description.
type question struct {
	operation string
	path      map[string]string
	query     url.Values
	kind      string // of the body, JSON unless said otherwise
	body      string
	want      int
}

// holds asks, and holds question and answer against the description.
func (d *described) holds(q question) []byte {
	d.t.Helper()
	for path, item := range d.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID != q.operation {
				continue
			}
			target := path
			for name, value := range q.path {
				target = strings.ReplaceAll(target, "{"+name+"}", url.PathEscape(value))
			}
			if q.kind == "" && q.body != "" {
				q.kind = "application/json"
			}
			r, res, answer := d.request(method, target+"?"+q.query.Encode(), q.kind, []byte(q.body))
			if res.StatusCode != q.want {
				d.t.Errorf("%s %v %v: status %d, want %d: %.300s", q.operation, q.path, q.query, res.StatusCode, q.want, answer)
				return nil
			}
			r.Body = io.NopCloser(strings.NewReader(q.body))
			in := &openapi3filter.RequestValidationInput{
				Request: r, PathParams: q.path,
				Route:   &routers.Route{Spec: d.doc, Path: path, PathItem: item, Method: method, Operation: op},
				Options: &openapi3filter.Options{ExcludeRequestBody: q.kind != "application/json"},
			}
			if res.StatusCode < 300 {
				d.answered[q.operation] = true
				if err := openapi3filter.ValidateRequest(d.t.Context(), in); err != nil {
					d.t.Errorf("%s %v %v is answered and not described: %v", q.operation, q.path, q.query, err)
				}
			}
			out := &openapi3filter.ResponseValidationInput{
				RequestValidationInput: in, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(answer)),
				Options: &openapi3filter.Options{IncludeResponseStatus: true},
			}
			if err := openapi3filter.ValidateResponse(d.t.Context(), out); err != nil {
				d.t.Errorf("%s %v %v is not answered as described: %v", q.operation, q.path, q.query, err)
			}
			return answer
		}
	}
	d.t.Errorf("operation %s is not described", q.operation)
	return nil
}

// TestAnswersAreAsDescribed holds the answers of a daemon against the description that it serves.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Themes.Least = 20
	d := start(t, cfg)
	const works = 40
	d.feed(newLabelledArchive(1, works).messages(t, 0, works, true)...)
	const rich = `"title":"A kilim","description":"word","language":"tr","culture":["Anatolian"],"period":["Ottoman"],"type":["kilim"],"date":{"begin":1890,"end":1900,"text":"about 1895"},` +
		`"subject":[{"id":"https://a.example/star","label":"star"}],"link":[{"type":"part_of","target":"gone"}],"colour":"red"`
	d.feed(artifact("rich/1", rich+`,"media":[{"kind":"image","data":"`+dot+`"},{"kind":"text","text":"a text","language":"tr"}]`),
		artifact("other", rich), kafka.Message{Value: []byte(`{"id":7.5}`)})
	d.until("all are there", func(s *web.Status) bool {
		return s.Artifacts == works+2 && s.Lag == 0 && s.Outbox == 0 && s.RefreshQueue == 0
	})
	d.learned(works)
	d.drawn(works + 2)
	is := d.described()
	id := map[string]string{"id": "rich/1"}
	of := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	labelled := map[string]string{"id": "t:1"}
	for _, q := range []question{
		{operation: "status", want: 200}, {operation: "healthy", want: 200}, {operation: "metrics", want: 200}, {operation: "index", want: 200}, {operation: "openapi", want: 200},
		{operation: "page", path: map[string]string{"file": "main.js"}, want: 200}, {operation: "page", path: map[string]string{"file": "gone"}, want: 404},
		{operation: "artifact", path: id, want: 200}, {operation: "artifact", path: map[string]string{"id": "gone"}, want: 404},
		{operation: "similar", path: id, want: 200}, {operation: "similar", path: id, query: of("list", "general", "k", "3"), want: 200},
		{operation: "similar", path: labelled, query: of("list", "theme:motif"), want: 200}, {operation: "similar", path: id, query: of("weights", "motif:2"), want: 200},
		{operation: "similar", path: id, query: of("list", "theme:gone"), want: 404}, {operation: "similar", path: id, query: of("k", "0"), want: 400},
		{operation: "similarTo", body: `{"title":"A kilim"}`, want: 200}, {operation: "similarTo", body: `{"title":"word0"}`, query: of("list", "theme:motif"), want: 200},
		{operation: "similarTo", body: `{"title":"A kilim"}`, query: of("weights", "motif:2"), want: 200}, {operation: "similarTo", body: `{}`, want: 400},
		{operation: "ask", body: `{"title":"A kilim with word0"}`, want: 200}, {operation: "ask", kind: "text/plain", body: `x`, want: 415},
		{operation: "evaluate", kind: "text/plain", body: `{"a":"rich/1","b":"other","grade":2}`, want: 200}, {operation: "evaluate", kind: "text/plain", body: `x`, want: 400},
		{operation: "cultures", want: 200}, {operation: "cultures", query: of("kind", "period", "k", "3"), want: 200}, {operation: "cultures", query: of("kind", "x"), want: 400},
		{operation: "view", path: id, want: 200}, {operation: "view", path: labelled, query: of("k", "30"), want: 200}, {operation: "card", path: id, want: 200},
		{operation: "list", path: id, query: of("list", "general"), want: 200}, {operation: "list", path: labelled, query: of("list", "theme:motif", "k", "3"), want: 200},
		{operation: "list", path: labelled, query: of("weights", "motif:0.5"), want: 200},
		{operation: "why", path: id, query: of("with", "other"), want: 200}, {operation: "why", path: id, query: of("with", "gone"), want: 404},
		{operation: "history", path: id, want: 200}, {operation: "history", path: id, query: of("list", "general", "since", "2026-11-30"), want: 200},
		{operation: "history", path: id, query: of("since", "soon"), want: 400}, {operation: "history", path: map[string]string{"id": "gone"}, want: 404},
		{operation: "medium", path: map[string]string{"id": "rich/1", "place": "0"}, want: 200}, {operation: "medium", path: map[string]string{"id": "rich/1", "place": "1"}, want: 415},
		{operation: "picture", path: map[string]string{"id": "rich/1", "place": "0"}, query: of("side", "1024"), want: 200},
		{operation: "lists", want: 200}, {operation: "search", query: of("q", "kilim", "culture", "Anatolian", "has", "picture,text", "k", "1"), want: 200},
		{operation: "search", query: of("k", "5"), want: 200}, {operation: "search", query: of("has", "smell"), want: 400},
		{operation: "values", want: 200}, {operation: "live", want: 200},
		{operation: "map", want: 200}, {operation: "map", query: of("edition", "x"), want: 400}, {operation: "mapPoints", want: 200},
		{operation: "map", query: of("theme", "motif"), want: 200}, {operation: "map", query: of("theme", "gone"), want: 404}, {operation: "mapPoints", query: of("theme", "motif"), want: 200},
		{operation: "mapSlots", query: of("theme", "motif"), want: 200}, {operation: "mapColours", query: of("theme", "motif", "field", "type"), want: 200},
		{operation: "mapColours", query: of("field", "culture"), want: 200}, {operation: "mapColours", query: of("field", "colour"), want: 400},
		{operation: "mapPoint", query: of("id", "rich/1", "k", "3"), want: 200}, {operation: "mapPoint", query: of("edition", "1", "slot", "0"), want: 404},
		{operation: "themes", want: 200}, {operation: "declareTheme", body: `{"name":"look","weak":["type"]}`, want: 202}, {operation: "declareTheme", body: `{"name":""}`, want: 400},
		{operation: "judge", body: `{"a":"other","b":"rich/1","grade":1,"by":"who asks","theme":"motif"}`, want: 200}, {operation: "judge", body: `{"a":"other"}`, want: 400},
		{operation: "judgments", query: of("id", "other"), want: 200}, {operation: "unjudge", query: of("a", "other", "b", "rich/1", "theme", "motif"), want: 204},
		{operation: "addQuery", body: `{"name":"kilims","record":{"title":"A kilim"},"by":"who asks"}`, want: 200}, {operation: "addQuery", body: `{"name":"A","record":{}}`, want: 400},
		{operation: "standingQueries", want: 200}, {operation: "standingQuery", path: map[string]string{"name": "kilims"}, want: 200},
		{operation: "standingQuery", path: map[string]string{"name": "gone"}, want: 404}, {operation: "removeQuery", path: map[string]string{"name": "kilims"}, want: 204},
		{operation: "models", want: 200}, {operation: "promote", path: map[string]string{"epoch": "9"}, want: 404}, {operation: "rollback", path: map[string]string{"epoch": "0"}, want: 400},
		{operation: "ranking", want: 200}, {operation: "slowest", want: 200}, {operation: "slowest", query: of("since", "2026-11-30T12:00:00Z"), want: 200}, {operation: "slowest", query: of("since", "x"), want: 400}, {operation: "ready", want: 200},
	} {
		is.holds(q)
	}
	for path, item := range is.doc.Paths.Map() {
		for method, op := range item.Operations() {
			// Another model takes its time: TestTypesAreAsDescribed has what they answer.
			if !is.answered[op.OperationID] && op.OperationID != "promote" && op.OperationID != "rollback" {
				t.Errorf("%s %s was not asked", method, path)
			}
		}
	}
	viewer, err := d.app.shelves.live.Open("0-0", live.Interest{Others: live.All})
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.Close()
	told, err := viewer.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var event any
	if err := json.Unmarshal(told.JSON, &event); err != nil {
		t.Fatal(err)
	}
	if err := is.doc.Components.Schemas["Event"].Value.VisitJSON(event, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("an event is not as described: %v", err)
	}
	is.types()
	d.end()
}

// dot is a PNG of two by two pixels.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGM4IQcEJxggFAAcfgQRs56ClAAAAABJRU5ErkJggg=="

// types holds each schema against the type that it describes: its fields, and which of them are always there.
func (d *described) types() {
	seen := map[string]bool{"Error": true, "Count": true, "Time": true, "QueryName": true} // the last three are no structs
	for name, v := range map[string]any{
		"Answer": web.Answer{}, "Asked": web.Asked{}, "ThemeAnswer": web.ThemeAnswer{}, "WeightedAnswer": web.WeightedAnswer{}, "Report": eval.Report{}, "Cultures": atlas.Answer{},
		"StoredArtifact": pipeline.ArtifactView{}, "View": browse.View{}, "Why": browse.Why{}, "History": browse.History{}, "ListInfo": web.ListInfo{}, "Found": web.Found{}, "Value": search.Value{},
		"Map": web.Map{}, "MapColours": web.MapColours{}, "MapPoint": web.MapPoint{},
		"Event": live.Event{}, "Themes": web.Themes{}, "ThemesStatus": web.ThemesStatus{}, "Judgment": judgments.Judgment{}, "Models": web.Models{}, "Status": web.Status{},
		"LearnedAnswer": web.LearnedAnswer{}, "Ranking": web.Ranking{}, "Slowest": web.Slowest{}, "StandingQueries": web.StandingQueries{},
	} {
		d.agrees(name, "#/components/schemas/"+name, d.doc.Components.Schemas[name], reflect.TypeOf(v), seen)
	}
	for name := range d.doc.Components.Schemas {
		if !seen[name] {
			d.t.Errorf("schema %s is of no type", name)
		}
	}
}

// agrees holds a schema, to which a reference leads or none, against a type.
func (d *described) agrees(where, ref string, s *openapi3.SchemaRef, typ reflect.Type, seen map[string]bool) {
	if s == nil || s.Value == nil {
		d.t.Errorf("%s: a %v is not described", where, typ)
		return
	}
	seen[strings.TrimPrefix(ref, "#/components/schemas/")] = true
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[json.RawMessage]():
	case typ == reflect.TypeFor[time.Time]():
		d.typed(where, s, "string")
	case typ.Kind() == reflect.Struct:
		d.typed(where, s, "object")
		var names, always []string
		for _, f := range reflect.VisibleFields(typ) {
			if f.Anonymous || !f.IsExported() {
				continue
			}
			name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = f.Name
			}
			names = append(names, name)
			if rest == "" {
				always = append(always, name)
			}
			if p := s.Value.Properties[name]; p == nil {
				d.t.Errorf("%s: field %s of %v is not described", where, name, typ)
			} else {
				d.agrees(where+"."+name, p.Ref, p, f.Type, seen)
			}
		}
		for name := range s.Value.Properties {
			if !slices.Contains(names, name) {
				d.t.Errorf("%s: %v has no field %s", where, typ, name)
			}
		}
		slices.Sort(always)
		required := slices.Sorted(slices.Values(s.Value.Required))
		if !slices.Equal(always, required) {
			d.t.Errorf("%s: always there are %v, required %v", where, always, required)
		}
	case typ.Kind() == reflect.Slice:
		d.typed(where, s, "array")
		if s.Value.Items != nil {
			d.agrees(where+"[]", s.Value.Items.Ref, s.Value.Items, typ.Elem(), seen)
		}
	case typ.Kind() == reflect.Map:
		d.typed(where, s, "object")
		of := s.Value.AdditionalProperties.Schema
		if of == nil {
			d.t.Errorf("%s: the values of a %v are not described", where, typ)
			return
		}
		d.agrees(where+"{}", of.Ref, of, typ.Elem(), seen)
	case typ.Kind() == reflect.Bool:
		d.typed(where, s, "boolean")
	case typ.Kind() == reflect.String:
		d.typed(where, s, "string")
	case typ.ConvertibleTo(reflect.TypeFor[int64]()) && typ.Kind() != reflect.Float32 && typ.Kind() != reflect.Float64:
		d.typed(where, s, "integer")
	default:
		d.typed(where, s, "number")
	}
}

// typed wants a schema of a type, or one that lists its values.
func (d *described) typed(where string, s *openapi3.SchemaRef, want string) {
	if !s.Value.Type.Includes(want) && len(s.Value.Enum) == 0 {
		d.t.Errorf("%s is described as %v and is of type %s", where, fmt.Sprint(s.Value.Type), want)
	}
}
