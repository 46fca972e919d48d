package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// print prints a row a theme and a column a method.
func print(w io.Writer, by map[string]figures, themes []string) {
	methods := slices.Sorted(maps.Keys(by))
	fmt.Fprint(w, "\n| nDCG@10 |")
	for _, m := range methods {
		fmt.Fprintf(w, " %s |", m)
	}
	fmt.Fprint(w, "\n|---|")
	for range methods {
		fmt.Fprint(w, "---|")
	}
	for _, t := range themes {
		fmt.Fprintf(w, "\n| %s |", t)
		for _, m := range methods {
			if f, ok := by[m][t]; ok {
				fmt.Fprintf(w, " %.3f |", f)
			} else {
				fmt.Fprint(w, " - |")
			}
		}
	}
	fmt.Fprintln(w)
}
