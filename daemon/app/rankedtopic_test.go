package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
)

// inTopic is the last message of an artifact in the topic of lists, and how many there are of it.
type inTopic struct {
	Ranker   string                     `json:"ranker"`
	Lists    map[string]json.RawMessage `json:"lists"`
	messages int
}

// scores are the ids and scores of a list: its parts are as old as these.
func (i *inTopic) scores(list string) string {
	var entries []struct {
		ID    string
		Score float64
	}
	if err := json.Unmarshal(i.Lists[list], &entries); err != nil {
		return err.Error()
	}
	return fmt.Sprint(entries)
}

// publishedIn are the last messages of all artifacts, whose lists total must be by stated weights, "", or by one ranker, and what is answered.
func (d *daemon) publishedIn(order string) map[string]inTopic {
	d.t.Helper()
	out, ranker := map[string]inTopic{}, ""
	for _, m := range d.read(d.cfg.Kafka.Topics.Similar) {
		last := inTopic{messages: out[string(m.Key)].messages + 1}
		if err := json.Unmarshal(m.Value, &last); err != nil {
			d.t.Fatal(err)
		}
		out[string(m.Key)], ranker = last, last.Ranker
	}
	for id, last := range out {
		if (last.Ranker != "") != (order != "") || last.Ranker != ranker {
			d.t.Errorf("the last message of %s names ranker %q, that of another %q", id, last.Ranker, ranker)
		}
		for list, told := range last.Lists {
			var answer struct{ Items json.RawMessage }
			d.get("/api/v1/artifacts/"+url.PathEscape(id)+"/similar?list="+list, &answer)
			if !bytes.Equal(told, answer.Items) {
				d.t.Errorf("the topic has of %s in %s %s, the answer %s", id, list, told, answer.Items)
			}
		}
	}
	return out
}

// republished wants one more message of each artifact, of another list total and of the same general one.
func (d *daemon) republished(before, after map[string]inTopic) {
	d.t.Helper()
	for id, was := range before {
		now := after[id]
		if now.messages != was.messages+1 || now.scores("total") == was.scores("total") || now.scores("general") != was.scores("general") {
			d.t.Errorf("%s is told %d times, %d before: %s", id, now.messages, was.messages, now.scores("total"))
		}
	}
	if len(after) != len(before) {
		d.t.Errorf("%d artifacts are told, %d before", len(after), len(before))
	}
}
