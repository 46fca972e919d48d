package publish

import (
	"encoding/json"

	"kilim/rerank"
)

// JSON gives the value of the topic of lists. What is empty is [], not null. An Update is not a json.Marshaler itself,
// for json.Marshal would read all of its text again to check it.
func JSON(u *rerank.Update) ([]byte, error) {
	v := struct {
		ID       string                    `json:"id"`
		Revision uint64                    `json:"revision"`
		Epoch    uint32                    `json:"epoch"`
		Lists    rerank.Lists              `json:"lists"`
		Changes  map[string]rerank.Changes `json:"changes"`
		Cause    []string                  `json:"cause"`
	}{
		ID: u.ID, Revision: u.Revision, Epoch: u.Epoch,
		Lists:   rerank.Lists{Total: present(u.Lists.Total), General: present(u.Lists.General)},
		Changes: make(map[string]rerank.Changes, len(u.Changes)),
		Cause:   present(u.Cause),
	}
	for name, c := range u.Changes {
		v.Changes[name] = rerank.Changes{Entered: present(c.Entered), Left: present(c.Left), Moved: present(c.Moved)}
	}
	return json.Marshal(v)
}

func present[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
