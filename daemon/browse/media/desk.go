package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image/jpeg"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/image"
)

var (
	// ErrNotFound is wrapped by what is said of a medium that no record names.
	ErrNotFound = errors.New("not found")
	// ErrUnfit is wrapped by what is said of bytes that are not shown, or that can't be had.
	ErrUnfit = errors.New("can't be shown")
	// ErrBusy is wrapped by what is said when as many pictures as allowed are being made.
	ErrBusy = errors.New("busy")
)

// Fetcher brings the bytes behind a URI, guarded: see package fetch.
type Fetcher interface {
	Fetch(ctx context.Context, kind, uri string) ([]byte, error)
}

// Archive gives committed states of the graph.
type Archive interface {
	View(fn func(*graphstore.Reader) error) error
}

// Medium is a picture or recording.
type Medium struct {
	Type string // safe, and of the bytes
	Data []byte
	Tag  string // another for other bytes
}

const (
	atOnce   = 2
	turnWait = 8 * time.Second
	makeWait = 30 * time.Second
	quality  = 82
)

// Desk shows the media of an Archive. It is safe for concurrent use.
type Desk struct {
	archive  Archive
	fetcher  Fetcher
	pictures *image.Encoder
	turns    *semaphore.Weighted
	making   singleflight.Group
	kept     *kept
}

// NewDesk shows media within the limits of pictures.
func NewDesk(archive Archive, fetcher Fetcher, limits image.Limits) (*Desk, error) {
	pictures, err := image.New(limits)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	kept, err := newKept(time.Now)
	if err != nil {
		return nil, err
	}
	return &Desk{archive: archive, fetcher: fetcher, pictures: pictures, turns: semaphore.NewWeighted(atOnce), kept: kept}, nil
}

// Medium is that at a place among the media of an artifact's record.
func (d *Desk) Medium(ctx context.Context, id string, place int) (*Medium, error) {
	m, err := d.named(id, place)
	if err != nil {
		return nil, err
	}
	if m.Data, err = d.bytes(ctx, m); err != nil {
		return nil, err
	}
	kind := ""
	switch m.Kind {
	case profile.Image:
		kind = image.MediaType(m.Data)
	case profile.Audio:
		kind = audio.MediaType(m.Data)
	}
	if kind == "" {
		return nil, fmt.Errorf("%w: medium %d of artifact %q is no picture or recording that is read here", ErrUnfit, place, id)
	}
	return &Medium{Type: kind, Data: m.Data, Tag: tagOf(m.Data)}, nil
}

// Picture is a JPEG of the picture at a place, with sides of at most so many pixels.
func (d *Desk) Picture(ctx context.Context, id string, place, side int) (*Medium, error) {
	m, err := d.named(id, place)
	if err != nil {
		return nil, err
	}
	if m.Kind != profile.Image {
		return nil, fmt.Errorf("%w: medium %d of artifact %q is no picture", ErrUnfit, place, id)
	}
	source := m.URI
	if len(m.Data) > 0 {
		source = tagOf(m.Data)
	}
	key := fmt.Sprintf("%d %s", side, source)
	if p, ok, err := d.kept.get(key); ok {
		return p, err
	}
	// Whoever else asks for this one gets what the first has made, so its going away must not end that.
	result := d.making.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeWait)
		defer cancel()
		p, err := d.make(ctx, m, side)
		if err == nil || errors.Is(err, ErrUnfit) {
			d.kept.put(key, p, err)
		}
		return p, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Medium), nil
	}
}

func (d *Desk) make(ctx context.Context, m profile.Media, side int) (*Medium, error) {
	waiting, cancel := context.WithTimeout(ctx, turnWait)
	defer cancel()
	if d.turns.Acquire(waiting, 1) != nil {
		return nil, fmt.Errorf("%w: %d pictures are being made", ErrBusy, atOnce)
	}
	defer d.turns.Release(1)
	data, err := d.bytes(ctx, m)
	if err != nil {
		return nil, err
	}
	shown, err := d.pictures.Shown(data, side)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, shown, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return &Medium{Type: "image/jpeg", Data: out.Bytes(), Tag: tagOf(out.Bytes())}, nil
}

// named is what the record of an artifact says at a place.
func (d *Desk) named(id string, place int) (m profile.Media, err error) {
	err = d.archive.View(func(r *graphstore.Reader) error {
		_, a, err := weave.Read(r, id)
		if errors.Is(err, weave.ErrNoDocument) {
			return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
		}
		if err != nil {
			return fmt.Errorf("media: %w", err)
		}
		if place < 0 || place >= len(a.Media) {
			return fmt.Errorf("%w: medium %d of artifact %q, which has %d", ErrNotFound, place, id, len(a.Media))
		}
		m = a.Media[place]
		return nil
	})
	return m, err
}

func (d *Desk) bytes(ctx context.Context, m profile.Media) ([]byte, error) {
	if len(m.Data) > 0 {
		return m.Data, nil
	}
	if m.Kind != profile.Image && m.Kind != profile.Audio || m.URI == "" {
		return nil, fmt.Errorf("%w: there are no bytes of a picture or recording", ErrUnfit)
	}
	data, err := d.fetcher.Fetch(ctx, m.Kind, m.URI)
	if _, refused := feature.AsRefusal(err); refused {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it can't be fetched now: %w", ErrUnfit, err)
	}
	return data, nil
}

func tagOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
