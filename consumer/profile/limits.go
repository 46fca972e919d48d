package profile

import "math"

// Limits bound what one record may ask of the system. A zero field takes its
// default.
type Limits struct {
	RecordBytes int     // a record's JSON; default 1 MiB
	IDBytes     int     // an artifact's id, a link's target or type; default 1,024
	NameBytes   int     // an encoder's or a theme's name; default 256
	Items       int     // entries of one list (terms, media, links, themes, labels); default 4,096
	Edges       int     // edges in all: one for each term, medium and link, two for a date; default 4,096
	Dimensions  int     // values of one embedding; default 16,384
	Depth       int     // nesting of the JSON; default 64
	Year        float64 // magnitude of a year; default 1e7, before the first stone tools
}

// DefaultLimits are the limits that a zero Limits stands for.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

// Stored are the limits of what is in a state: none that a document could reach. It was admitted under the limits of its
// time, and must be read whatever today's are: it is what an update or a deletion takes out of the graph.
func Stored() Limits {
	return Limits{
		RecordBytes: math.MaxInt, IDBytes: math.MaxInt, NameBytes: math.MaxInt, Items: math.MaxInt, Edges: math.MaxInt,
		Dimensions: math.MaxInt, Depth: math.MaxInt, Year: math.MaxFloat64,
	}
}

func (l Limits) withDefaults() Limits {
	l.RecordBytes = orDefault(l.RecordBytes, 1<<20)
	l.IDBytes = orDefault(l.IDBytes, 1024)
	l.NameBytes = orDefault(l.NameBytes, 256)
	l.Items = orDefault(l.Items, 4096)
	l.Edges = orDefault(l.Edges, 4096)
	l.Dimensions = orDefault(l.Dimensions, 16384)
	l.Depth = orDefault(l.Depth, 64)
	if l.Year <= 0 {
		l.Year = 1e7
	}
	return l
}

func orDefault(v, def int) int {
	if v <= 0 {
		return def
	}
	return v
}
