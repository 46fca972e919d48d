package main

import (
	"context"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"

	"kilim/consumer/profile"
)

// view is one of the page's, with what it asks for.
type view struct {
	name string
	ask  func(ctx context.Context, v *visitor, rng *rand.Rand) error
}

func views() []view {
	return []view{{"live", liveView}, {"search", searchView}, {"artifact", artifactView}, {"map", mapView}, {"cultures", culturesView}, {"network", networkView}}
}

// params are those of a request, by name and value in turn.
func params(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + q.Encode()
}

func artifactPath(id string) string { return "/api/v1/artifacts/" + url.PathEscape(id) }

func (v *visitor) any(rng *rand.Rand) *profile.Artifact {
	return v.archive.records[rng.IntN(len(v.archive.records))]
}

func liveView(ctx context.Context, v *visitor, _ *rand.Rand) error {
	if err := v.get(ctx, "live: the document", "/", nil); err != nil {
		return err
	}
	if err := v.get(ctx, "live: status", "/api/v1/status", nil); err != nil {
		return err
	}
	return v.first(ctx, "live: the stream's beginning", "/api/v1/live?others=10")
}

// found is an answer to a search.
type found struct {
	Next string `json:"next"`
}

// searchView is one by one or two words of a title, by a culture, a type and a kind of media, or of everything, and the answer's second page.
func searchView(ctx context.Context, v *visitor, rng *rand.Rand) error {
	if err := v.get(ctx, "search: values", "/api/v1/search/values", nil); err != nil {
		return err
	}
	kind, asked := "search: everything", []string{"k", "48"}
	a := v.any(rng)
	switch words := strings.Fields(a.Title); {
	case rng.IntN(4) == 0:
	case rng.IntN(3) == 0 || len(words) == 0:
		kind = "search: by fields"
		if len(a.Culture) > 0 {
			asked = append(asked, "culture", a.Culture[0].Text())
		}
		if len(a.Type) > 0 {
			asked = append(asked, "type", a.Type[0].Text())
		}
		if rng.IntN(2) == 0 {
			asked = append(asked, "has", "text")
		}
	default:
		kind = "search: by words"
		at := rng.IntN(len(words))
		asked = append(asked, "q", strings.Join(words[at:min(at+1+rng.IntN(2), len(words))], " "))
	}
	var page found
	if err := v.get(ctx, kind, params("/api/v1/search", asked...), &page); err != nil || page.Next == "" {
		return err
	}
	return v.get(ctx, kind+", next", params("/api/v1/search", append(asked, "after", page.Next)...), nil)
}

// lists are those that artifacts have.
type lists struct {
	Lists []struct {
		Name string `json:"name"`
	} `json:"lists"`
}

// list is one of an artifact's.
type list struct {
	Items []struct {
		ID string `json:"id"`
	} `json:"items"`
}

func artifactView(ctx context.Context, v *visitor, rng *rand.Rand) error {
	id := v.any(rng).ID
	var all lists
	var shown struct {
		Lists []list `json:"lists"`
	}
	if err := v.get(ctx, "artifact: view", params(artifactPath(id)+"/view", "k", "10"), &shown); err != nil {
		return err
	}
	if err := v.get(ctx, "artifact: lists", "/api/v1/lists", &all); err != nil {
		return err
	}
	for _, l := range all.Lists {
		theme, ok := strings.CutPrefix(l.Name, "theme:")
		if !ok {
			continue
		}
		if err := v.get(ctx, "artifact: list of a theme", params(artifactPath(id)+"/list", "list", l.Name, "k", "10"), nil); err != nil {
			return err
		}
		if rng.IntN(4) > 0 {
			continue // a slider is not moved by everybody
		}
		if err := v.get(ctx, "artifact: list by sliders", params(artifactPath(id)+"/list", "list", "total", "k", "10", "weights", theme+":0.5"), nil); err != nil {
			return err
		}
	}
	if len(shown.Lists) == 0 || len(shown.Lists[0].Items) == 0 {
		return nil
	}
	return v.get(ctx, "artifact: why", params(artifactPath(id)+"/why", "with", shown.Lists[0].Items[0].ID), nil)
}

// mapView opens the map, colours it by each field, and points at an artifact.
func mapView(ctx context.Context, v *visitor, rng *rand.Rand) error {
	var now struct {
		mapStatus
		Version int      `json:"version"`
		Fields  []string `json:"fields"`
	}
	if err := v.get(ctx, "map: where it stands", "/api/v1/map", &now); err != nil {
		return err
	}
	if err := v.get(ctx, "map: points", "/api/v1/map/points", nil); err != nil {
		return err
	}
	for _, field := range now.Fields {
		if err := v.get(ctx, "map: colours", params("/api/v1/map/colours", "field", field), nil); err != nil {
			return err
		}
	}
	if err := v.get(ctx, "map: what has changed", params("/api/v1/map", "edition", strconv.FormatInt(now.Edition, 10), "after", strconv.Itoa(now.Version)), nil); err != nil {
		return err
	}
	return v.get(ctx, "map: an artifact", params("/api/v1/map/point", "id", v.any(rng).ID, "k", "15"), nil)
}

func culturesView(ctx context.Context, v *visitor, rng *rand.Rand) error {
	kind, most := []string{"culture", "period", "place"}[rng.IntN(3)], []string{"8", "12", "20"}[rng.IntN(3)]
	return v.get(ctx, "cultures: the "+most+" largest", params("/api/v1/cultures", "kind", kind, "k", most), nil)
}

// networkView asks for what an artifact is like, and what that is like.
func networkView(ctx context.Context, v *visitor, rng *rand.Rand) error {
	var own list
	of := func(id string, into any) error {
		return v.get(ctx, "network: a list", params(artifactPath(id)+"/list", "list", "total", "k", "12"), into)
	}
	id := v.any(rng).ID
	if err := v.get(ctx, "network: card", artifactPath(id)+"/card", nil); err != nil {
		return err
	}
	if err := of(id, &own); err != nil {
		return err
	}
	for _, item := range own.Items {
		if err := of(item.ID, nil); err != nil {
			return err
		}
	}
	return nil
}
