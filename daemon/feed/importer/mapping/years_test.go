package mapping

import (
	"math/rand/v2"
	"testing"
)

func TestYears(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]float64{
		"1896": {1896, 1896}, "c. 1896": {1896, 1896}, "ca.1896": {1896, 1896}, "(1896)": {1896, 1896}, "About 1896": {1896, 1896},
		"1896-1902": {1896, 1902}, "1896–1902": {1896, 1902}, "1896 - 1902": {1896, 1902}, "1896/1902": {1896, 1902}, "c. 1896-c. 1902": {1896, 1902},
		"1926-28": {1926, 1928}, "1909-10": {1909, 1910}, "1895-8": {1895, 1898}, "1909-08": {1909, 1909}, "1909-08-31": {1909, 1909},
		"1889/1912": {1889, 1912}, "1889-01/1912-12": {1889, 1912}, "1889-01-31/1912-12-31": {1889, 1912}, "-0499-01-01": {-499, -499},
		"06/20/1899": {1899, 1899}, "550 BC": {-550, -550}, "550-520 BC": {-550, -520}, "20 BCE": {-20, -20}, "20 BC-14": {-20, 14}, "800": {800, 800},
	} {
		if begin, end, ok := years(text); !ok || begin != want[0] || end != want[1] {
			t.Errorf("%q: %v to %v (%v), want %v", text, begin, end, ok, want)
		}
	}
	for _, text := range []string{"", "n.d.", "before 1900", "19th century", "1900s", "spring 1900", "12", "520-550 BC", "1902-1896", "1926-13-", "19-20", "1896-1902-1910", "5/6", "18960"} {
		if begin, end, ok := years(text); ok {
			t.Errorf("%q: %v to %v, want none", text, begin, end)
		}
	}
}

// TestYearsOfAnything: no text makes a panic, and no span ends before it begins.
func TestYearsOfAnything(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	parts := []string{"1", "19", "190", "1905", "-", "/", "–", " ", "bc", "c. ", "(", ")", "0", "00", "9999"}
	for range 100_000 {
		text := ""
		for range rng.IntN(7) {
			text += parts[rng.IntN(len(parts))]
		}
		if begin, end, ok := years(text); ok && begin > end {
			t.Fatalf("%q: %v to %v", text, begin, end)
		}
	}
}
