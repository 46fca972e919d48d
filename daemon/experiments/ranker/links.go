package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"kilim/consumer/profile"
)

// A museum's inventory number: 44.688, 37.2468.43, 35.101F, W.648.
var (
	inFile = regexp.MustCompile(`_((?:\d{2,4}|W)\.\d+(?:\.\d+)?\.?[A-Za-z]?)(?:_|\.)`)
	inText = regexp.MustCompile(`\b(?:\d{2}\.\d+(?:\.\d+)?[A-Z]?|W\.\d+)\b`)
	part   = regexp.MustCompile(`^((?:\d{2}|W)\.\d+)(?:\.\d+|\.?[A-Za-z])+$`)
)

// mostOfASet bounds the sets that are links: of two hundred watercolours of one album each is like all others, which no list of ten can
// show, and any ranking finds.
const mostOfASet = 20

// numberOf is the inventory number of an artifact, which stands in the names of its pictures' files and nowhere else; "" if in none.
func numberOf(a *profile.Artifact) string {
	for _, m := range a.Media {
		if g := inFile.FindStringSubmatch(m.URI); g != nil {
			return strings.TrimSuffix(g[1], ".")
		}
	}
	return ""
}

// setOf is the number of what an artifact is a part of: 35.101 of 35.101F and 37.2468 of 37.2468.43, a manuscript's own of its leaves.
func setOf(number string) string {
	if g := part.FindStringSubmatch(number); g != nil {
		return g[1]
	}
	return number
}

// links are the archive's own: who belongs to one set by inventory number, and whose text names the other's number. They are given both
// ways. texts are what is read of the artifacts.
func links(numbers, texts []string) map[int][]int {
	sets, owner := map[string][]int{}, map[string][]int{}
	for i, n := range numbers {
		if n != "" {
			sets[setOf(n)] = append(sets[setOf(n)], i)
			owner[n] = append(owner[n], i)
		}
	}
	linked := map[int]map[int]bool{}
	link := func(a, b int) {
		for _, way := range [][2]int{{a, b}, {b, a}} {
			if linked[way[0]] == nil {
				linked[way[0]] = map[int]bool{}
			}
			linked[way[0]][way[1]] = true
		}
	}
	for _, members := range sets {
		if len(members) > mostOfASet {
			continue
		}
		for i, a := range members {
			for _, b := range members[:i] {
				link(a, b)
			}
		}
	}
	for a, text := range texts {
		for _, number := range inText.FindAllString(text, -1) {
			// A manuscript's number is that of all its leaves, and says of none that it is meant.
			if o := owner[number]; len(o) == 1 && o[0] != a {
				link(a, o[0])
			}
		}
	}
	out := map[int][]int{}
	for a, others := range linked {
		for b := range others {
			out[a] = append(out[a], b)
		}
		slices.Sort(out[a])
	}
	return out
}

// alike links artifacts of an archive that has no links of its own, the demo archive, by its labels, which nothing else here reads: threes of one motif and one craft.
func alike(themes []map[string][]string) map[int][]int {
	out, open := map[int][]int{}, map[string][]int{}
	for i, labels := range themes {
		if len(labels["motif"]) == 0 || len(labels["craft"]) == 0 {
			continue
		}
		key := labels["motif"][0] + "|" + labels["craft"][0]
		three := append(open[key], i)
		if open[key] = three; len(three) < 3 {
			continue
		}
		for _, a := range three {
			out[a] = slices.DeleteFunc(slices.Clone(three), func(b int) bool { return a == b })
		}
		delete(open, key)
	}
	return out
}

// masked is a text without inventory numbers: what is to be found must not be read off.
func masked(text string) string { return inText.ReplaceAllString(text, "") }

// maskedRecord is a record whose title and description are masked.
func maskedRecord(line []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, err
	}
	for _, name := range []string{"title", "description"} {
		var text string
		if fields[name] == nil || json.Unmarshal(fields[name], &text) != nil {
			continue // no text: nothing is read off it
		}
		raw, err := json.Marshal(masked(text))
		if err != nil {
			return nil, err
		}
		fields[name] = raw
	}
	return json.Marshal(fields)
}

// groups numbers artifacts so that linked ones, directly or over others, have the same number. Whole groups are judged or measured.
func groups(links map[int][]int) map[int]int {
	out := map[int]int{}
	for _, a := range slices.Sorted(maps.Keys(links)) { // so that a group's number is always the same
		if _, ok := out[a]; ok {
			continue
		}
		out[a] = a
		for queue := []int{a}; len(queue) > 0; queue = queue[1:] {
			for _, b := range links[queue[0]] {
				if _, ok := out[b]; !ok {
					out[b] = a
					queue = append(queue, b)
				}
			}
		}
	}
	return out
}
