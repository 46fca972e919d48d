package hostile

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"

	"kilim/consumer"
	"kilim/consumer/profile"
)

func generate(t *testing.T, opt Options) []*Record {
	t.Helper()
	g, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var all []*Record
	for r, ok := g.Next(); ok; r, ok = g.Next() {
		all = append(all, r)
	}
	if len(all) != opt.Records {
		t.Fatalf("%d records, want %d", len(all), opt.Records)
	}
	return all
}

// TestFates holds what the generator says of its records against what package consumer makes of them.
func TestFates(t *testing.T) {
	t.Parallel()
	applied, refused := map[string]int{}, map[string]int{}
	records := 3000
	if testing.Short() {
		records = 1000
	}
	for _, r := range generate(t, Options{Records: records, Seed: 1, Good: 30, Unpacked: 4 << 20}) {
		item := consumer.Decode(consumer.Record{Key: r.Key, Value: r.Value, Headers: r.Headers}, profile.Limits{})
		if item.Refusal != nil {
			refused[r.Family]++
			if r.Fate == Applied || r.Fate == Refused && r.Reason != "" && r.Reason != item.Refusal.Reason {
				t.Errorf("%v: refused, %v", r, item.Refusal)
			}
			continue
		}
		applied[r.Family]++
		switch {
		case r.Fate == Refused:
			t.Errorf("%v: applied, want %q", r, r.Reason)
		case r.Loose:
		case item.ID != r.ID:
			t.Errorf("%v: of artifact %q", r, item.ID)
		case (item.Artifact == nil) != (r.Artifact == nil):
			t.Errorf("%v: deletion: %t", r, item.Artifact == nil)
		case item.Artifact != nil && !bytes.Equal(bytes.TrimSpace(item.Artifact.Raw), bytes.TrimSpace(r.Artifact)):
			t.Errorf("%v: the artifact %.100q, want %.100q", r, item.Artifact.Raw, r.Artifact)
		}
	}
	for _, name := range Families() {
		if applied[name]+refused[name] == 0 {
			t.Errorf("no record of family %s", name)
		}
	}
	if applied["good"] == 0 || refused["good"] > 0 {
		t.Errorf("%d good records, %d refused", applied["good"], refused["good"])
	}
}

// TestSeeds: a seed is one feed.
func TestSeeds(t *testing.T) {
	t.Parallel()
	opt := Options{Records: 300, Seed: 7, Good: 50, Unpacked: 1 << 20}
	first, second := generate(t, opt), generate(t, opt)
	for i, r := range first {
		if a, b := fmt.Sprintf("%v %x %x", r, r.Value, r.Headers), fmt.Sprintf("%v %x %x", second[i], second[i].Value, second[i].Headers); a != b {
			t.Fatalf("the same seed gives %.300s and %.300s", a, b)
		}
	}
	opt.Seed++
	for i, r := range generate(t, opt) {
		if !bytes.Equal(r.Value, first[i].Value) {
			return
		}
	}
	t.Error("another seed gives the same feed")
}

// TestWorstIsWithinTheLimits: what is to take the most memory must be taken.
func TestWorstIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range generate(t, Options{Records: 100, Seed: 1, Worst: true}) {
		seen[r.Family] = true
		if item := consumer.Decode(consumer.Record{Key: r.Key, Value: r.Value}, profile.Limits{}); item.Refusal != nil {
			t.Errorf("%v: refused, %v", r, item.Refusal)
		}
	}
	if len(seen) != len(worst) {
		t.Errorf("of %d families there are %v", len(worst), seen)
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	for _, r := range generate(t, Options{Records: 50, Seed: 1, Only: regexp.MustCompile("^(dates|ids)$")}) {
		if r.Family != "dates" && r.Family != "ids" {
			t.Fatal(r)
		}
	}
	if _, err := New(Options{Only: regexp.MustCompile("nothing is named so")}); err == nil {
		t.Error("no family, and no error")
	}
}
