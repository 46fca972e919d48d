package redact

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "",
		"http://127.0.0.1:8080":          "http://127.0.0.1:8080",
		"https://host/v1/embeddings":     "https://host/v1/embeddings",
		"https://user:S3cret@host/":      "https://***@host/",
		"https://S3cret@host":            "https://***@host",
		"https://user:S3/cr@et@host/x":   "https://***@host/x",
		"user:S3cret@host":               "***@host",
		"http://host/?api-key=S3cret":    "http://host/?api-key=***",
		"http://host?a=S3cret&b=&S3cret": "http://host?a=***&b=&***",
		"http://host?a=1;b=S3cret":       "http://host?a=***&b=***",
		"http://host/#S3cret":            "http://host/#***",
		"http://host/#?x=S3cret":         "http://host/#***",
		"http://u:S3cret@ho st:port/%zz": "http://***@ho st:port/%zz",
		"http://host?x=S3cret#S3cret@x":  "http://host?x=***#***",
	} {
		if got := URL(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// FuzzURL: what is marked as a secret does not come through.
func FuzzURL(f *testing.F) {
	f.Add("http", "host", "/path")
	f.Add("", "", "@?#")
	f.Fuzz(func(t *testing.T, scheme, host, path string) {
		const secret = "S3cret"
		for _, part := range []string{scheme, host, path} {
			if strings.Contains(part, secret) || strings.ContainsAny(part, "@?#") {
				t.Skip()
			}
		}
		for _, text := range []string{
			scheme + "://user:" + secret + "@" + host + path,
			scheme + "://" + host + path + "?key=" + secret,
			scheme + "://" + host + path + "#" + secret,
		} {
			if shown := URL(text); strings.Contains(shown, secret) {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
	})
}

func TestError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://user:S3cret@127.0.0.1:1/x?key=S3cret", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, asked := http.DefaultClient.Do(req)
	_, parsed := url.Parse(strings.Replace("http://user:S3cret@host:80/?key=S3cret", "80", "port", 1))
	for _, err := range []error{asked, parsed} {
		shown := Error(err)
		if err == nil || strings.Contains(shown.Error(), "S3cret") || !strings.Contains(shown.Error(), Hidden) {
			t.Errorf("%v is shown as %v", err, shown)
		}
	}
	if !errors.Is(Error(asked), context.Canceled) {
		t.Error("the cause is lost")
	}
	other := errors.New("x")
	if Error(other) != other || Error(nil) != nil {
		t.Error("an error without an address has changed")
	}
}
