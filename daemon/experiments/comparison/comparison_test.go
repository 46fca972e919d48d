package comparison

import (
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Write(&b, []Row{{"chain", "a & b", 3, 2, "python", "µs", 1.5}, {Bench: "encoders"}}); err != nil {
		t.Fatal(err)
	}
	want := `{"bench":"chain","case":"a & b","ours":3,"peer":2,"peer_name":"python","unit":"µs","ratio":1.5}
{"bench":"encoders","case":"","ours":0,"peer":0,"peer_name":"","unit":"","ratio":0}
`
	if b.String() != want {
		t.Errorf("%s", &b)
	}
}
