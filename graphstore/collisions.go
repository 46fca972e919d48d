package graphstore

import "fmt"

// CollisionError names two keys that have one NodeID. It is an ErrCollision.
type CollisionError struct {
	// Type and Key are those that were refused, OtherType and Other those that were there first.
	Type, OtherType Type
	Key, Other      string
}

func (e *CollisionError) Error() string {
	return fmt.Sprintf("graphstore: two keys have the same id: %s %q and %s %q", e.Type, e.Key, e.OtherType, e.Other)
}

// Is tells that a CollisionError is an ErrCollision.
func (e *CollisionError) Is(target error) bool { return target == ErrCollision }

// KeyCheck finds, before anything is changed, which of several artifacts a Tx could not put because of an ErrCollision: of an
// artifact's own id, an entity, a medium, or the target of a link, with what is stored or with an artifact admitted before.
type KeyCheck struct {
	t *Tx
	// keys are those of all that was admitted.
	keys map[NodeID]typedKey
}

type typedKey struct {
	typ Type
	key string
}

// CheckKeys begins a check of the artifacts that a Tx is going to put.
func (t *Tx) CheckKeys() *KeyCheck { return &KeyCheck{t: t, keys: map[NodeID]typedKey{}} }

// Admit returns a CollisionError if PutArtifact of this artifact could return one, after any or none of those admitted before have been
// put. Otherwise it admits the artifact. Any other error is one of reading.
//
// An artifact that is admitted and never put still counts: a refusal may so come of a key that never was in the store. It
// takes two keys with one hash of 64 bits.
func (c *KeyCheck) Admit(id string, specs []EdgeSpec) error {
	keys := make(map[NodeID]typedKey, len(specs)+1)
	if err := c.look(keys, Artifact, id); err != nil {
		return err
	}
	for _, s := range specs {
		if err := c.look(keys, s.Type, s.Key); err != nil {
			return err
		}
	}
	for id, k := range keys {
		c.keys[id] = k
	}
	return nil
}

// look compares a key with the others of its record, those admitted, and the store's, and adds it to those of its record.
func (c *KeyCheck) look(record map[NodeID]typedKey, typ Type, key string) error {
	id, k := ID(typ, key), typedKey{typ, key}
	for _, known := range []map[NodeID]typedKey{record, c.keys} {
		if other, ok := known[id]; ok && other != k {
			return k.collides(other)
		} else if ok {
			return nil // it was compared with the store
		}
	}
	if _, err := c.t.find(id, typ, key); err != nil {
		return err
	}
	record[id] = k
	return nil
}

func (k typedKey) collides(other typedKey) error {
	return &CollisionError{Type: k.typ, Key: k.key, OtherType: other.typ, Other: other.key}
}
