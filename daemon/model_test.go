package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kilim/daemon/web"
	"kilim/learner/train/registry"
)

// TestModelCommands asks a server for models and for changes.
func TestModelCommands(t *testing.T) {
	t.Parallel()
	answer := web.Models{Serving: 2, Generation: 3, Republishing: true, Next: &web.Making{Epoch: 3, Phase: "filling", Ratio: 0.25}, Models: []registry.Model{
		{Epoch: 1, State: registry.Promoted, Seed: 1, Created: time.Unix(1_700_000_000, 0)},
		{Epoch: 2, State: registry.Promoted, Parent: 1, Checkpoint: "0002.safetensors"},
		{Epoch: 3, State: registry.Rejected, Parent: 2, Reason: "recall fell",
			Metrics: json.RawMessage(`{"rows":[{"task":"half","metric":"MRR","queries":9,"serving":0.1,"candidate":0.15,"gain":{"mean":0.05},"verdict":"worse"}],"published":{"lists":40,"kept":0.75,"first":0.9},"reason":"recall fell"}`)},
	}}
	var asked string
	daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path
		if strings.Contains(asked, "/9/") {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"error":"epoch 9 was rejected"}`)
			return
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	defer daemon.Close()
	for _, c := range []struct {
		args  []string
		code  int
		asked string
		said  []string
	}{
		{nil, 0, "GET /api/v1/models", []string{"seed 1", "2023-11-14 22:13", "0002.safetensors", "serves, its lists are being published", "filling, 25 %", "epoch 3: recall fell"}},
		{[]string{"list", "--json"}, 0, "GET /api/v1/models", []string{`"serving":2`}},
		{[]string{"promote", "3"}, 0, "POST /api/v1/models/3/promote", []string{"EPOCH"}},
		{[]string{"rollback", "1"}, 0, "POST /api/v1/models/1/rollback", []string{"EPOCH"}},
		{[]string{"rollback", "9"}, 1, "POST /api/v1/models/9/rollback", []string{"epoch 9 was rejected"}},
		{[]string{"rollback", "x"}, 2, "", []string{"epoch"}},
		{[]string{"rollback"}, 0, "POST /api/v1/models/1/rollback", []string{"EPOCH"}},
		{[]string{"show", "3"}, 0, "GET /api/v1/models", []string{"recall fell", "held against epoch 2", "half", "MRR", "+0.0500", "worse", "lists total of 40 held-out artifacts: 75% of the first 10 stay, the first of all in 90%", "rejected: recall fell"}},
		{[]string{"show", "1"}, 0, "GET /api/v1/models", []string{"epoch 1 was not held against another one"}},
		{[]string{"show", "7"}, 1, "GET /api/v1/models", []string{"there is no epoch 7"}},
	} {
		asked = ""
		code, stdout, stderr := kilim(t, "", append(append([]string{"model"}, c.args...), "--http", daemon.URL)...)
		if code != c.code || asked != c.asked {
			t.Errorf("%v: code %d, asked %q; want %d, %q\n%s", c.args, code, asked, c.code, c.asked, stderr)
		}
		for _, text := range c.said {
			if !strings.Contains(stdout+stderr, text) {
				t.Errorf("%v: no %q in\n%s%s", c.args, text, stdout, stderr)
			}
		}
	}
}
