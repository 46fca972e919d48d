package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestModels asks for the models and for changes of the one that serves.
func TestModels(t *testing.T) {
	t.Parallel()
	f := &fake{fail: func(id string) error {
		switch id {
		case "8":
			return fmt.Errorf("%w: epoch 8 was rejected", ErrConflict)
		case "9":
			return fmt.Errorf("%w: epoch 9", ErrNotFound)
		}
		return nil
	}}
	s := newServer(t, f)
	const path = "/api/v1/models"
	for _, c := range []struct {
		method, path string
		code         int
		asked        string // of the service, last but for the models
		body         string // a part of it
	}{
		{http.MethodGet, path, 200, "", `"serving":3`},
		{http.MethodGet, path + "?x=1", 400, "", `parameter \"x\"`},
		{http.MethodPost, path, 405, "", "POST"},
		{http.MethodPost, path + "/3/promote", 202, "promote 3", `"models":[{"epoch":3`},
		{http.MethodPost, path + "/4294967295/rollback", 202, "roll back to 4294967295", `"generation":2`},
		{http.MethodPost, path + "/8/promote", 409, "promote 8", "rejected"},
		{http.MethodPost, path + "/9/rollback", 404, "roll back to 9", "epoch 9"},
		{http.MethodPost, path + "/4294967296/promote", 400, "", "epoch"},
		{http.MethodPost, path + "/0/promote", 400, "", "epoch"},
		{http.MethodPost, path + "/x/promote", 400, "", `epoch \"x\"`},
		{http.MethodGet, path + "/3/promote", 405, "", "GET"},
		{http.MethodPost, path + "/3/delete", 404, "", "path"},
	} {
		f.asked = nil
		w := ask(t, s, c.method, c.path, "")
		asked := slices.DeleteFunc(f.asked, func(a string) bool { return a == "models" })
		if w.Code != c.code || strings.Join(asked, ";") != c.asked || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d %s, the service was asked %q; want %d, %q", c.method, c.path, w.Code, w.Body, asked, c.code, c.asked)
		}
	}
}
