package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// filled has a value for each parameter in the paths of the description.
var filled = strings.NewReplacer("{id}", "an%2Fid", "{place}", "3", "{epoch}", "7", "{file}", "main.js", "{name}", "horses")

// TestDescriptionHasTheRoutes: each route with its methods is in the description once, and nothing else is.
func TestDescriptionHasTheRoutes(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Fatalf("OpenAPI %s: %v", doc.OpenAPI, err)
	}
	s := newServer(t, &fake{})
	described := map[string]string{}
	for path, item := range doc.Paths.Map() {
		name, id := route(filled.Replace(path))
		e, ok := s.endpoints[name]
		switch {
		case !ok:
			t.Errorf("%s is described and not served", path)
		case described[name] != "":
			t.Errorf("%s and %s are one route", path, described[name])
		case strings.Contains(path, "{id}") && id != "an%2Fid" || strings.Contains(path, "{epoch}") && id != "7":
			t.Errorf("%s: what is taken for its id is %q", path, id)
		}
		described[name] = path
		methods := slices.Collect(maps.Keys(item.Operations()))
		for _, m := range e.methods {
			if m != http.MethodHead && !slices.Contains(methods, m) { // HEAD is what GET is, without the body
				t.Errorf("%s %s is served and not described", m, path)
			}
		}
		for _, m := range methods {
			if !slices.Contains(e.methods, m) {
				t.Errorf("%s %s is described and not served", m, path)
			}
		}
	}
	for name := range s.endpoints {
		if described[name] == "" {
			t.Errorf("route %s is served and not described", name)
		}
	}
}

// TestParametersAreDescribed: each parameter of the description is understood, and another is refused wherever parameters are.
func TestParametersAreDescribed(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, &fake{})
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if path == "/api/v1/live" {
				continue // its stream does not end
			}
			for _, p := range op.Parameters {
				if p.Value.In != openapi3.ParameterInQuery {
					continue
				}
				target := filled.Replace(path) + "?" + url.Values{p.Value.Name: {"\x00"}}.Encode()
				if body := ask(t, s, method, target, "{}").Body.String(); strings.Contains(body, "is not known here") {
					t.Errorf("%s %s: %s", method, target, body)
				}
			}
			target := filled.Replace(path) + "?nonsense=1"
			if !strings.HasPrefix(path, "/api/") || path == "/api/v1/status" {
				continue // what supervisors and browsers ask, with whatever
			}
			if w := ask(t, s, method, target, "{}"); !strings.Contains(w.Body.String(), `parameter \"nonsense\" is not known here`) {
				t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
			}
		}
	}
}
