package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"kilim/internal/atomicfile"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/text"
)

// wordsOf reads words as a state with these encoders does, for who makes no vectors of them.
func wordsOf(encoders encode.Encoders) (*text.Encoder, error) {
	return text.NewEncoder(text.Config{Spellings: encoders.Spellings})
}

// spellingsFolder has the spellings that states were made with, each under its hash: the file that the configuration names may have
// changed since, and until another state is made beside, the one that serves reads words as it has counted them. They stay, being small.
type spellingsFolder string

func (f spellingsFolder) path(hash string) string { return filepath.Join(string(f), hash) }

// keep writes s down, if there are any.
func (f spellingsFolder) keep(s *text.Spellings) error {
	if s == nil {
		return nil
	}
	if _, err := os.Stat(f.path(s.Hash())); err == nil {
		return nil
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("keep spellings: %w", err)
	}
	if err := atomicfile.Write(f.path(s.Hash()), s.Canonical(), nil); err != nil {
		return fmt.Errorf("keep spellings: %w", err)
	}
	return nil
}

// find returns the spellings that a state was made with, nil if there were none.
func (f spellingsFolder) find(made map[string]feature.Identity, configured *text.Spellings) (*text.Spellings, error) {
	id, ok := made[feature.Spellings]
	switch {
	case !ok:
		return nil, nil
	case configured != nil && id.Name == configured.Hash():
		return configured, nil
	}
	raw, err := os.ReadFile(f.path(id.Name))
	if err != nil {
		return nil, fmt.Errorf("the spellings that the state was made with: %w", err)
	}
	s, err := text.ReadSpellings(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the spellings that the state was made with: %s: %w", f.path(id.Name), err)
	}
	if s.Hash() != id.Name {
		return nil, fmt.Errorf("the spellings that the state was made with: %s: was changed, it is %s now", f.path(id.Name), s.Hash())
	}
	return s, nil
}
