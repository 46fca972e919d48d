package weave

import (
	"reflect"
	"slices"
	"testing"

	"kilim/consumer/profile"
)

// TestWithoutOrigins: what is left has the pieces that are no origins, and the artifact itself is as it was.
func TestWithoutOrigins(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"id":"a","title":"rug","culture":["c"],"period":["p"],"dynasty":["d"],"reign":["r"],"style":["s"],"place":["l"],"creator":["m"],
		"material":["wool"],"technique":["knots"],"type":["carpet"],"subject":["stars"],"collection":["k"],"date":{"begin":1700}}`)
	parse := func() *profile.Artifact {
		a, err := profile.Parse(raw, "a", profile.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := parse()
	want := slices.DeleteFunc(Pieces(a), func(p Piece) bool { return p.Origin })
	if got := Pieces(WithoutOrigins(a)); !reflect.DeepEqual(got, want) || len(got) != len(Pieces(a))-len(origins) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !reflect.DeepEqual(a, parse()) {
		t.Error("the artifact has changed")
	}
}
