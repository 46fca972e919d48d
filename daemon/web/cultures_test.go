package web

import "testing"

func TestCultures(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"": `cultures culture "" 12`, "?kind=place&k=20": `cultures place "" 20`, "?theme=motif%2C+old": `cultures culture "motif, old" 12`,
	} {
		f := &fake{}
		if w := ask(t, newServer(t, f), "GET", "/api/v1/cultures"+query, ""); w.Code != 200 || f.lastAsked() != want {
			t.Errorf("%q: status %d, asked %s, want %s", query, w.Code, f.lastAsked(), want)
		}
	}
	for _, query := range []string{"?k=0", "?k=21", "?k=x", "?top=3", "?k=1&k=2"} {
		if w := ask(t, newServer(t, &fake{}), "GET", "/api/v1/cultures"+query, ""); w.Code != 400 {
			t.Errorf("%q: status %d", query, w.Code)
		}
	}
}
