package media

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	encoder "kilim/learner/encode/image"
)

// records is an Archive of one artifact, "a".
type records struct{ store *graphstore.Store }

func (r records) View(fn func(*graphstore.Reader) error) error { return r.store.View(fn) }

func archiveOf(t *testing.T, media ...map[string]any) records {
	t.Helper()
	s, err := graphstore.Open(t.TempDir(), graphstore.Options{CacheMB: 1, MemtableMB: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	raw, err := json.Marshal(map[string]any{"id": "a", "media": media})
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin()
	if _, err := tx.PutArtifact(graphstore.Doc{ID: "a", Raw: raw}, nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return records{s}
}

// site answers from its map, and counts.
type site struct {
	lock  sync.Mutex
	bytes map[string][]byte
	asked map[string]int
	block chan struct{}
}

func (s *site) Fetch(_ context.Context, _, uri string) ([]byte, error) {
	s.lock.Lock()
	s.asked[uri]++
	data, ok := s.bytes[uri]
	s.lock.Unlock()
	if s.block != nil {
		<-s.block
	}
	if !ok {
		return nil, feature.Refuse(feature.ReasonNotAllowed, "not %s", uri)
	}
	return data, nil
}

func newDesk(t *testing.T, s *site, media ...map[string]any) *Desk {
	t.Helper()
	s.asked = map[string]int{}
	d, err := NewDesk(archiveOf(t, media...), s, encoder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func painted(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{200, uint8(x), uint8(y), 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wav() []byte {
	b := []byte("RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, 16000)
	return append(b, "\x02\x00\x10\x00data\x08\x00\x00\x0001234567"...)
}

func inside(kind string, data []byte) map[string]any {
	return map[string]any{"kind": kind, "data": base64.StdEncoding.EncodeToString(data), "media_type": "text/html"}
}

// TestTypes: a type is taken from the bytes, whatever the record says; what is no picture or recording is not given.
func TestTypes(t *testing.T) {
	t.Parallel()
	polyglot := append(painted(t, 2, 2), "<script>alert(1)</script>"...)
	cases := []struct {
		kind, want string
		data       []byte
	}{
		{"image", "image/png", painted(t, 3, 2)}, {"image", "image/png", polyglot}, {"audio", "audio/wav", wav()},
		{"audio", "", painted(t, 3, 2)}, {"image", "", wav()},
		{"image", "", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)}, {"image", "", []byte("<?xml version='1.0'?><svg/>")},
		{"image", "", []byte("<!DOCTYPE html><script>alert(1)</script>")}, {"audio", "", []byte("<html>")}, {"image", "", []byte("%PDF-1.7")},
	}
	var media []map[string]any
	for _, c := range cases {
		media = append(media, inside(c.kind, c.data))
	}
	d := newDesk(t, &site{}, media...)
	for place, c := range cases {
		m, err := d.Medium(t.Context(), "a", place)
		switch {
		case c.want == "" && !errors.Is(err, ErrUnfit):
			t.Errorf("%d: %.20q: %v, %v", place, c.data, m, err)
		case c.want != "" && (err != nil || m.Type != c.want || !bytes.Equal(m.Data, c.data)):
			t.Errorf("%d: %v", place, err)
		}
	}
	for _, c := range []struct {
		id    string
		place int
	}{{"a", -1}, {"a", len(cases)}, {"b", 0}} {
		if _, err := d.Medium(t.Context(), c.id, c.place); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestPicture: it is a JPEG within the sides asked for, made once for all who ask.
func TestPicture(t *testing.T) {
	t.Parallel()
	s := &site{bytes: map[string][]byte{"https://a.example/x.png": painted(t, 600, 200), "https://a.example/bad": []byte("<svg/>")}, block: make(chan struct{})}
	d := newDesk(t, s, map[string]any{"kind": "image", "uri": "https://a.example/x.png"}, map[string]any{"kind": "image", "uri": "https://a.example/bad"},
		map[string]any{"kind": "image", "uri": "file:///etc/passwd"}, inside("image", painted(t, 40, 90)), inside("audio", wav()))
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := d.Picture(t.Context(), "a", 0, 256); err != nil {
				t.Error(err)
			}
		})
	}
	close(s.block)
	wait.Wait()
	for _, c := range []struct{ place, side, w, h int }{{0, 256, 256, 85}, {3, 256, 40, 90}, {3, 30, 13, 30}} {
		m, err := d.Picture(t.Context(), "a", c.place, c.side)
		if err != nil || m.Type != "image/jpeg" {
			t.Fatal(m, err)
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(m.Data))
		if err != nil || got.Width != c.w || got.Height != c.h {
			t.Errorf("%+v: %d x %d, %v", c, got.Width, got.Height, err)
		}
	}
	for range 3 {
		for _, place := range []int{1, 2, 4} {
			if _, err := d.Picture(t.Context(), "a", place, 256); !errors.Is(err, ErrUnfit) {
				t.Errorf("place %d: %v", place, err)
			}
		}
	}
	for uri, n := range s.asked {
		if n != 1 {
			t.Errorf("%s was fetched %d times", uri, n)
		}
	}
}

// TestBusy: no more than atOnce are made, and who waits longer than he wants goes.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := &site{bytes: map[string][]byte{}, block: make(chan struct{})}
	var media []map[string]any
	for n := range atOnce + 1 {
		media = append(media, map[string]any{"kind": "image", "uri": fmt.Sprint("https://a.example/", n)})
	}
	d := newDesk(t, s, media...)
	var wait sync.WaitGroup
	for n := range atOnce {
		wait.Go(func() { _, _ = d.Picture(t.Context(), "a", n, 256) }) // refused in the end
	}
	for d.turns.TryAcquire(1) {
		d.turns.Release(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.make(ctx, profile.Media{Kind: profile.Image, URI: "https://a.example/2"}, 256); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	close(s.block)
	wait.Wait()
	if s.asked["https://a.example/2"] != 0 {
		t.Error("it was fetched all the same")
	}
}

// TestKept: the bytes are bounded, the least recently asked for goes, and a failure is forgotten after its time.
func TestKept(t *testing.T) {
	t.Parallel()
	now := time.Now()
	k, err := newKept(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	big := &Medium{Data: make([]byte, keptBytes/4)}
	for n := range 6 {
		k.put(fmt.Sprint(n), big, nil)
		if _, ok, _ := k.get("0"); !ok {
			t.Errorf("the one asked for is gone after %d", n)
		}
	}
	if k.bytes > keptBytes || k.items.Len() != 4 {
		t.Errorf("%d bytes in %d pictures", k.bytes, k.items.Len())
	}
	k.put("0", &Medium{Data: make([]byte, 7)}, nil)
	if k.bytes != 3*len(big.Data)+7 {
		t.Errorf("%d bytes", k.bytes)
	}
	k.put("no", nil, ErrUnfit)
	if _, ok, err := k.get("no"); !ok || !errors.Is(err, ErrUnfit) {
		t.Error(ok, err)
	}
	now = now.Add(failedFor + 1)
	if _, ok, _ := k.get("no"); ok {
		t.Error("a failure is remembered for ever")
	}
	for n := range keptItems + 10 {
		k.put(strings.Repeat("x", 3)+fmt.Sprint(n), nil, ErrUnfit)
	}
	if n := k.items.Len(); n != keptItems || k.bytes != 0 {
		t.Errorf("%d items, %d bytes", n, k.bytes)
	}
}
