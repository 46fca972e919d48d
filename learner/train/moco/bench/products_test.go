package main

import (
	"slices"
	"testing"
)

// TestRates reads a table that matmul.py printed, shortened.
func TestRates(t *testing.T) {
	t.Parallel()
	const table = "| NumPy OpenBLAS (its choice: AVX2) | 1 | 127 | 125 | 124 | 111 | 127 | 125 |\n| PyTorch mm (MKL sgemm) | 1 | 112 | 109 | 105 | 95 | 105 | 106 |\n| PyTorch mm, bfloat16 | 1 | 1 | 2 | 3 | 4 | 5 | 6 |\n"
	for library, want := range map[string][]float64{libraries[0]: {112, 109, 105, 95, 105, 106}, libraries[1]: {127, 125, 124, 111, 127, 125}} {
		got, err := rates(table, library)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", library, got, err)
		}
	}
	for _, bad := range []string{"", "| NumPy OpenBLAS | 1 | a | 1 | 1 | 1 | 1 | 1 |"} {
		if _, err := rates(bad, libraries[1]); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median %v", m)
	}
	if m := median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Errorf("median %v", m)
	}
}
