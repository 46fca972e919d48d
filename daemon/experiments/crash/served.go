package main

import (
	"context"
	"encoding/json"
	"net/url"
)

// entry is one of a list. The score is kept as it was written.
type entry struct {
	ID    string      `json:"id"`
	Score json.Number `json:"score"`
}

// lists are an artifact's, by name.
type lists map[string][]entry

// answer is what the daemon says of an artifact.
type answer struct {
	found    bool
	artifact json.RawMessage
	lists    lists
}

// counts are the parts of the status that must come out the same.
type counts struct {
	Artifacts    int            `json:"artifacts"`
	Placeholders int            `json:"placeholders"`
	Nodes        map[string]int `json:"nodes"`
	Edges        map[string]int `json:"edges"`
	Index        struct {
		Vectors int `json:"vectors"`
	} `json:"index"`
}

// ask collects the answers for the ids.
func (i *instance) ask(ctx context.Context, ids []string) (map[string]answer, error) {
	all := make(map[string]answer, len(ids))
	for _, id := range ids {
		a := answer{lists: lists{}}
		var view struct {
			Artifact json.RawMessage `json:"artifact"`
		}
		path := "/api/v1/artifacts/" + url.PathEscape(id)
		var err error
		if a.found, err = i.Get(ctx, path, &view); err != nil {
			return nil, err
		}
		a.artifact = view.Artifact
		for _, name := range []string{"total", "general"} {
			var list struct {
				Items []entry `json:"items"`
			}
			if !a.found {
				break
			}
			if _, err := i.Get(ctx, path+"/similar?k=10&list="+name, &list); err != nil {
				return nil, err
			}
			a.lists[name] = list.Items
		}
		all[id] = a
	}
	return all, nil
}
