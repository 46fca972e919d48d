package mapping

import "testing"

// TestNamed compiles every map that comes with kilim.
func TestNamed(t *testing.T) {
	t.Parallel()
	names := Names()
	if len(names) < 11 {
		t.Errorf("maps %q", names)
	}
	for _, name := range names {
		if m, ok := Named(name); !ok || len(m.fields) == 0 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if _, ok := Named("tate"); ok {
		t.Error("a map that nobody wrote is there")
	}
}
