package graphstore

import (
	"slices"
	"strings"
	"testing"
)

// TestCheckFindsDamage damages one row at a time and wants a sentence about it.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	a, b, ming := ID(Artifact, "a"), ID(Artifact, "b"), ID(Culture, "ming")
	node := func(s *Store, id NodeID, change func(*Node)) op {
		var n *Node
		if err := s.View(func(r *Reader) (err error) { n, err = r.Node(id); return err }); err != nil {
			t.Fatal(err)
		}
		n = n.clone()
		change(n)
		return op{idKey(keyNode, id), encodeNode(n)}
	}
	to := func(rel Relation, to NodeID) edgeChange {
		return edgeChange{edgeEnd: edgeEnd{rel, to}, detail: &detail{}}
	}
	edges := func(s *Store, id NodeID, change func([]edgeChange) []edgeChange) op {
		var have []edgeChange
		if err := s.View(func(r *Reader) (err error) { have, err = r.outgoing(id); return err }); err != nil {
			t.Fatal(err)
		}
		return op{idKey(keyEdge, id), encodeEdges(change(have))}
	}
	embedding, vectors := &nodeParts[0], &nodeParts[1]
	stranger := &Node{ID: ID(Place, "nowhere"), Type: Place, Key: "nowhere"}
	culture := edgeEnd{Relation(Culture), ming}
	for want, damage := range map[string]func(s *Store) op{
		"degree 9 stored, 3 counted":         func(s *Store) op { return node(s, a, func(n *Node) { n.Degree = 9 }) },
		"9 members stored, 2 counted":        func(s *Store) op { return node(s, ming, func(n *Node) { n.Members = 9 }) },
		`label "Ming" in use by 5 artifacts`: func(s *Store) op { return node(s, ming, func(n *Node) { n.Labels[0].Count = 5 }) },
		`label "ming" in use by 0 artifacts`: func(s *Store) op { return node(s, ming, func(n *Node) { n.Labels = n.Labels[:1] }) },
		`"nowhere": nothing leads to it`:     func(*Store) op { return op{idKey(keyNode, stranger.ID), encodeNode(stranger)} },
		"has the id":                         func(s *Store) op { return node(s, ming, func(n *Node) { n.Key = "song" }) },
		"a placeholder has no embedding": func(*Store) op {
			return op{embedding.key(ID(Artifact, "later")), embedding.encode(&Node{Embedding: []float32{1}})}
		},
		"a placeholder may only be an artifact":               func(s *Store) op { return node(s, ming, func(n *Node) { n.Placeholder = true }) },
		"the row of its vectors is missing":                   func(*Store) op { return op{key: vectors.key(ming)} },
		"the row of its embedding is missing":                 func(s *Store) op { return node(s, a, func(n *Node) { n.Drift = 1 }) },
		"the row of the embedding of culture \"ming\", which": func(*Store) op { return op{embedding.key(ming), embedding.encode(stranger)} },
		"there is no such artifact":                           func(s *Store) op { return node(s, a, func(n *Node) { n.Placeholder = true }) },
		"content is stored: false, placeholder":               func(*Store) op { return op{key: idKey(keyDoc, a)} },
		"its content is missing":                              func(*Store) op { return op{key: idKey(keyRaw, a)} },
		"joins a node that does not exist and":                func(*Store) op { return op{key: idKey(keyNode, a)} },
		"the other direction is missing":                      func(*Store) op { return op{key: edgeKey(Edge{ming, culture.rel | Inverse, a})} },
		"the relation does not fit": func(s *Store) op {
			return edges(s, a, func(e []edgeChange) []edgeChange { return append(e, to(Relation(Collection), ming)) })
		},
		"the media belong to another artifact": func(s *Store) op {
			return edges(s, b, func(e []edgeChange) []edgeChange {
				return append([]edgeChange{to(RelMedia, ID(Image, "a\x000"))}, e...)
			})
		},
		"edges of relation culture stored":       func(s *Store) op { return edges(s, a, func(e []edgeChange) []edgeChange { return e[:2] }) },
		"2 edges to it are stored with it, 1":    func(s *Store) op { return edges(s, a, func(e []edgeChange) []edgeChange { return e[:2] }) },
		"is out of order":                        func(s *Store) op { return edges(s, a, func(e []edgeChange) []edgeChange { return append(e, e[0]) }) },
		"only an artifact that is there":         func(*Store) op { return op{idKey(keyEdge, ming), encodeEdges([]edgeChange{to(RelLink, a)})} },
		"placeholders stored":                    func(*Store) op { return op{key: idKey(keyNode, ID(Artifact, "later"))} },
		"lists":                                  func(*Store) op { return op{idKey(keyLists, 77), encodeBlob(nil)} },
		"history of a list of a theme":           func(*Store) op { return op{[]byte("hshort"), encodeBlob(nil)} },
		"push":                                   func(*Store) op { return op{idKey(keyPush, 77), encodePush(Push{})} },
		"offset":                                 func(*Store) op { return op{partitionKey(keyOffset, "in", 0), []byte{rowVersion}} },
		"message 3 follows message 1":            func(*Store) op { return op{key: seqKey(2)} },
		"the last message is 2":                  func(*Store) op { return op{key: seqKey(3)} },
		"document frequency -4":                  func(*Store) op { return op{termDeltaKey(99), encodeTerms([]termCount{countTerm(5, -5)})} },
		"changes of terms stored":                func(*Store) op { return op{termDeltaKey(99), encodeTerms([]termCount{countTerm(5, 5)})} },
		"is not of page 7":                       func(*Store) op { return op{termPageKey(7), encodeTerms([]termCount{countTerm(5, 5)})} },
		"labels are not kept by its row, 0 have": func(s *Store) op { return node(s, ming, func(n *Node) { n.OtherLabels = 1 }) },
		"label":                                  func(*Store) op { return op{labelCountKey(77, "x"), encodeLabel("x", 1)} },
		"1 have a count, 0 an order":             func(*Store) op { return op{labelCountKey(ming, "x"), encodeLabel("x", 1)} },
		"does not belong here":                   func(*Store) op { return op{labelCountKey(ming, "y"), encodeLabel("x", 1)} },
		"is ordered as in use by 2":              func(*Store) op { return op{labelOrderKey(ming, "x", 2), encodeLabel("x", 2)} },
		`is kept, and "Song", which more`:        func(*Store) op { return op{labelCountKey(ming, "Song"), encodeLabel("Song", 9)} },
		"a row with the key 72":                  func(*Store) op { return op{[]byte("r"), encodeChunk(nil, 0)} }, // where the redo log was
		"redo marker":                            func(*Store) op { return op{[]byte{keyMarker}, encodeNumber(1)} },
		"row of version 9":                       func(*Store) op { return op{idKey(keyNode, a), []byte{9, 1}} },
		"not one of this program's":              func(*Store) op { return op{[]byte("Zebra"), []byte{1}} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := openSmall(t)
			defer s.Close()
			commitAll(t, s, func(tx *Tx) error {
				for id, label := range map[string]string{"a": "Ming", "b": "ming"} {
					specs := []EdgeSpec{{Type: Culture, Rel: culture.rel, Key: "ming", Label: label}}
					if id == "a" {
						specs = append(specs, EdgeSpec{Type: Image, Rel: RelMedia, Key: "a\x000"}, EdgeSpec{Type: Artifact, Rel: RelLink, Key: "later"})
					}
					if _, err := tx.PutArtifact(Doc{ID: id}, specs); err != nil {
						return err
					}
				}
				later, err := tx.Edit(ID(Artifact, "later"))
				if err != nil {
					return err
				}
				later.Drift = 1
				for range 3 {
					if _, err := tx.Enqueue(nil); err != nil {
						return err
					}
				}
				return tx.AddTerms(slices.Values([]uint32{5}), 1)
			})
			if err := s.Check(func(p string) { t.Errorf("before: %s", p) }); err != nil {
				t.Fatal(err)
			}
			if err := s.write("damage", []op{damage(s)}); err != nil {
				t.Fatal(err)
			}
			s.refresh()
			var problems []string
			if err := s.Check(func(p string) { problems = append(problems, p) }); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
				t.Errorf("no problem with %q in %q", want, problems)
			}
		})
	}
}

// TestCheckIsBounded: of very many problems it tells some and counts the rest.
func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer s.Close()
	var ops []op
	for i := range maxProblems + 20 {
		ops = append(ops, op{idKey(keyLists, NodeID(i)), encodeBlob(nil)})
	}
	if err := s.write("damage", ops); err != nil {
		t.Fatal(err)
	}
	s.refresh()
	var problems []string
	if err := s.Check(func(p string) { problems = append(problems, p) }); err != nil {
		t.Fatal(err)
	}
	if len(problems) != maxProblems+1 || problems[maxProblems] != "and 20 problems more" {
		t.Errorf("%d problems, the last is %q", len(problems), problems[len(problems)-1])
	}
}
