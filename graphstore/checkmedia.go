package graphstore

import (
	"errors"
	"fmt"
	"slices"
)

// media verifies the rows about media against the nodes and against each other.
func (c *checker) media() error {
	uses := map[Content][]NodeID{}
	if err := c.each([]byte{keyUse}, "use of a content", func(k, v []byte) error {
		content, by, err := parseUseKey(k)
		if err != nil {
			return err
		}
		uses[content] = append(uses[content], by)
		return decodeRow(v).end()
	}); err != nil {
		return err
	}
	vectors := map[Content][]string{}
	if err := c.each([]byte{keyVector}, "media vector", func(k, v []byte) error {
		if len(k) != 25 {
			return fmt.Errorf("key of %d bytes, want 25", len(k))
		}
		encoder, vec, err := decodeVector(v)
		if err != nil {
			return err
		}
		content := Content(k[1:17])
		if string(vectorKey(content, encoder)) != string(k) || len(vec) == 0 {
			return fmt.Errorf("%d numbers by %q do not belong here", len(vec), encoder)
		}
		if len(uses[content]) == 0 {
			return errors.New("of a content that no node has")
		}
		vectors[content] = append(vectors[content], encoder)
		return nil
	}); err != nil {
		return err
	}
	used := 0
	if err := c.each([]byte{keyMedia}, "media", func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		m, err := decodeMedia(id, v)
		if err != nil {
			return err
		}
		if n := c.nodes[id]; n == nil || !n.node.Type.IsMedia() && !n.node.IsArtifact() {
			return fmt.Errorf("of %s", n)
		}
		if m.Content != (Content{}) {
			used++
			if !slices.Contains(uses[m.Content], id) {
				return errors.New("its use of its content is not noted")
			}
		}
		if m.State == MediaEncoded && !slices.Contains(vectors[m.Content], m.Encoder) {
			return fmt.Errorf("encoded by %q, and the vector is missing", m.Encoder)
		}
		return nil
	}); err != nil {
		return err
	}
	noted := 0
	for _, ids := range uses {
		noted += len(ids)
	}
	if noted != used {
		c.problem("media: %d uses of contents noted, %d counted", noted, used)
	}
	return nil
}
