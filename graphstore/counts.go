package graphstore

import "fmt"

// Counts is the size of the graph.
type Counts struct {
	// Artifacts are those that are there; Placeholders those only linked to.
	Artifacts, Placeholders int
	// nodes holds the nodes of each type, placeholders not among them, and
	// edges the edges of each relation, each edge counted once.
	nodes, edges [numTypes]int
}

// Nodes is the number of nodes of a type. Placeholders are not counted.
func (c *Counts) Nodes(t Type) int {
	if t >= numTypes {
		return 0
	}
	return c.nodes[t]
}

// Edges is the number of edges of a relation, in whichever direction it is given.
func (c *Counts) Edges(r Relation) int {
	r &^= Inverse
	if int(r) >= numTypes {
		return 0
	}
	return c.edges[r]
}

// NodesByType has an entry for each type, also for those without a node.
func (c *Counts) NodesByType() map[string]int {
	out := make(map[string]int, numTypes)
	for t := Artifact; t < numTypes; t++ {
		out[t.String()] = c.nodes[t]
	}
	return out
}

// EdgesByRelation has an entry for each relation, also for those without an
// edge. Each edge is counted once, under the name of its forward direction.
func (c *Counts) EdgesByRelation() map[string]int {
	out := make(map[string]int, numTypes)
	for t := Artifact; t < numTypes; t++ {
		r := relationTo(t)
		out[r.String()] = c.edges[r]
	}
	return out
}

// node counts n in (sign 1) or out (sign -1).
func (c *Counts) node(n *Node, sign int) {
	if n.Placeholder {
		c.Placeholders += sign
		return
	}
	c.nodes[n.Type] += sign
	c.Artifacts = c.nodes[Artifact]
}

func (c *Counts) edge(r Relation, sign int) { c.edges[r&^Inverse] += sign }

// differences tells where c, as stored, is not want, as counted.
func (c *Counts) differences(want *Counts, fn func(string)) {
	if c.Placeholders != want.Placeholders {
		fn(fmt.Sprintf("counters: %d placeholders stored, %d counted", c.Placeholders, want.Placeholders))
	}
	for t := Artifact; t < numTypes; t++ {
		if c.nodes[t] != want.nodes[t] {
			fn(fmt.Sprintf("counters: %d nodes of type %s stored, %d counted", c.nodes[t], t, want.nodes[t]))
		}
		if c.edges[t] != want.edges[t] {
			fn(fmt.Sprintf("counters: %d edges of relation %s stored, %d counted", c.edges[t], Relation(t), want.edges[t]))
		}
	}
}
