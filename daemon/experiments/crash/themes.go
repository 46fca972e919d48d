package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// demoThemes are those that the records of the demo archive have labels of.
var demoThemes = []string{"belief", "craft", "motif", "music"}

// themeTopic is where the lists of a theme go, if its name needs no other spelling.
func themeTopic(theme string) string { return topicSimilar + "." + theme }

// themesStatus is what is read of /api/v1/themes.
type themesStatus struct {
	Phase   string `json:"phase"`
	Waiting int    `json:"waiting"`
	Due     int    `json:"due"`
	Model   struct {
		ID string `json:"id"`
	} `json:"model"`
}

func (s *themesStatus) atRest() bool {
	return s.Phase == "idle" && s.Waiting == 0 && s.Due == 0 && s.Model.ID != ""
}

// themeList is an artifact's list of a theme: as it is served, or as it was published.
type themeList struct {
	model string
	items []entry
}

// askThemes collects the lists of themes, by topic and id, when all are made by the model that serves.
func (i *instance) askThemes(ctx context.Context, ids []string) (map[string]map[string]themeList, error) {
	for {
		var before, after themesStatus
		if _, err := i.Get(ctx, "/api/v1/themes", &before); err != nil {
			return nil, err
		}
		if !before.atRest() {
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("the themes don't come to rest, %+v: %w", before, context.Cause(ctx))
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		all, err := i.themeLists(ctx, ids)
		if err != nil {
			return nil, err
		}
		if _, err := i.Get(ctx, "/api/v1/themes", &after); err != nil {
			return nil, err
		}
		if after == before { // else another model was made meanwhile
			return all, nil
		}
	}
}

func (i *instance) themeLists(ctx context.Context, ids []string) (map[string]map[string]themeList, error) {
	all := map[string]map[string]themeList{}
	for _, theme := range demoThemes {
		lists := map[string]themeList{}
		for _, id := range ids {
			var answer struct {
				Model struct {
					ID string `json:"id"`
				} `json:"model"`
				Items []entry `json:"items"`
			}
			if _, err := i.Get(ctx, "/api/v1/artifacts/"+url.PathEscape(id)+"/similar?k=10&list=theme:"+theme, &answer); err != nil {
				return nil, err
			}
			lists[id] = themeList{answer.Model.ID, answer.Items}
		}
		all[themeTopic(theme)] = lists
	}
	return all, nil
}

// auditThemes compares the lists of themes that were published last with those served. Not each artifact has one of each theme.
func (r *report) auditThemes(p *plan, e *ending) error {
	lists := 0
	for _, topic := range slices.Sorted(maps.Keys(e.themed)) {
		last, err := r.publishedOf(slices.DeleteFunc(slices.Clone(e.topics.themed), func(m kafka.Message) bool { return m.Topic != topic }))
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(last)) {
			list, served := last[id], e.themed[topic][id]
			switch {
			case list == nil:
			case p.live[id] == nil:
				r.lost("the tombstone of %s in %s", id, topic)
			case list.model != served.model || !reflect.DeepEqual(list.items, served.items):
				r.differing("%s in %s: published last %v, served %v", id, topic, *list, served)
			default:
				lists++
			}
		}
	}
	if lists == 0 {
		return fmt.Errorf("no list of a theme was published: there is nothing to compare")
	}
	r.ThemeLists = max(r.ThemeLists, lists)
	return nil
}

// publishedOf gives the last list of each key in the topic of a theme, nil where it was taken back.
func (r *report) publishedOf(messages []kafka.Message) (map[string]*themeList, error) {
	last := map[string]*themeList{}
	updates, err := r.published(messages)
	if err != nil {
		return nil, err
	}
	for id, u := range updates {
		last[id] = nil
		if u == nil {
			continue
		}
		if len(u.Lists) != 1 {
			return nil, fmt.Errorf("a message about %s has %d lists", id, len(u.Lists))
		}
		for name, items := range u.Lists {
			if !strings.HasPrefix(name, "theme:") {
				return nil, fmt.Errorf("a message about %s has the list %s", id, name)
			}
			last[id] = &themeList{u.Model, items}
		}
	}
	return last, nil
}
