package browse

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// ErrNotFound is wrapped by what is said of an artifact that is not stored.
var ErrNotFound = errors.New("not found")

// Archive gives committed states of the graph.
type Archive interface {
	View(fn func(*graphstore.Reader) error) error
}

// keptCards bounds the cards in memory, of a few hundred bytes each. To make one, a record is parsed with the
// media in it, up to some milliseconds; the artifacts of lists and of what arrives are asked for again and again.
const keptCards = 16 << 10

// Shelf shows the artifacts of an Archive. It is safe for concurrent use.
type Shelf struct {
	archive Archive

	lock sync.Mutex
	kept *simplelru.LRU[string, Card]
	// changes counts the calls of Changed: a card that was read before the last one may be of what was there before.
	changes uint64
}

// NewShelf shows an archive.
func NewShelf(archive Archive) (*Shelf, error) {
	kept, err := simplelru.NewLRU[string, Card](keptCards, nil)
	if err != nil {
		return nil, fmt.Errorf("browse: %w", err)
	}
	return &Shelf{archive: archive, kept: kept}, nil
}

// Changed says that records of these artifacts, or that they are gone, were committed.
func (s *Shelf) Changed(ids []string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.changes++
	for _, id := range ids {
		s.kept.Remove(id)
	}
}

// Card is that of a stored artifact; the error is an ErrNotFound for another.
func (s *Shelf) Card(id string) (Card, error) {
	cards, err := s.Cards([]string{id})
	if err != nil {
		return Card{}, err
	}
	if c, ok := cards[id]; ok {
		return c, nil
	}
	return Card{}, fmt.Errorf("%w: artifact %q", ErrNotFound, id)
}

// Cards are those of the artifacts that are stored and can be read, by id.
func (s *Shelf) Cards(ids []string) (map[string]Card, error) {
	out := make(map[string]Card, len(ids))
	var missing []string
	s.lock.Lock()
	changes := s.changes
	for _, id := range ids {
		if c, ok := s.kept.Get(id); ok {
			out[id] = c
		} else {
			missing = append(missing, id)
		}
	}
	s.lock.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	err := s.archive.View(func(r *graphstore.Reader) error {
		for _, id := range missing {
			_, a, err := weave.Read(r, id)
			switch {
			case errors.Is(err, weave.ErrNoDocument), errors.Is(err, graphstore.ErrDamaged):
				continue // gone meanwhile, or its own fault: a page of others is shown without it
			case err != nil:
				return fmt.Errorf("browse: %w", err)
			}
			out[id] = CardOf(a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.changes == changes {
		for _, id := range missing {
			if c, ok := out[id]; ok {
				s.kept.Add(c.ID, c)
			}
		}
	}
	return out, nil
}
