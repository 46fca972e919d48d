package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// address is the flag that says which daemon is asked: the same, with the same default, in every command that asks one.
type address struct {
	HTTP string `name:"http" default:"http://127.0.0.1:9464" placeholder:"URL" help:"Where the daemon answers; https:// and user:password@ are understood, HOST:PORT alone is http."`
}

const (
	requestTimeout = 10 * time.Second
	answerBytes    = 4 << 20 // the map of 300,000 artifacts takes 1.2 MB
)

// url is where a path of the daemon is.
func (a address) url(path string, parameters map[string]string) (string, error) {
	text := a.HTTP
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", &exitError{exitUsage, fmt.Errorf("http: %q: want a URL such as http://127.0.0.1:9464", a.HTTP)}
	}
	u = u.JoinPath(path)
	q := url.Values{}
	for name, value := range parameters {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// finalError is an error that waiting can't repair.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// ask returns the body of a 2xx answer, which is text. The error of another one says what the daemon says; it is a finalError when asking again
// can't change it.
func ask(client *http.Client, req *http.Request) ([]byte, error) {
	raw, err := askBytes(client, req)
	return bytes.TrimSpace(raw), err
}

// askBytes is ask for a body that is no text.
func askBytes(client *http.Client, req *http.Request) ([]byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, unanswered(req.URL, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.URL.Redacted(), err)
	}
	if res.StatusCode/100 == 2 {
		return raw, nil
	}
	var refusal struct{ Error string }
	if json.Unmarshal(raw, &refusal) == nil && refusal.Error != "" {
		err = fmt.Errorf("%s: %s", res.Status, refusal.Error)
	} else {
		err = fmt.Errorf("%s: %s: %.200s", req.URL.Redacted(), res.Status, bytes.TrimSpace(raw))
	}
	if res.StatusCode/100 == 4 {
		err = &finalError{err}
	}
	return nil, err
}

// unanswered says in plain words that nobody listens there; what else can happen on the way keeps its own.
func unanswered(at *url.URL, err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return fmt.Errorf("no daemon answers at %s (%w): is it running? --http says where it is", (&url.URL{Scheme: at.Scheme, Host: at.Host}).String(), dial.Err)
	}
	return err
}
