package consumer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
)

// TestReportedRecords decodes what others report (../shared/cases, beside the repository): each must become the artifact
// that its producer means, a deletion, or a refusal; never an artifact without its content.
func TestReportedRecords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		title   string
		deleted bool
		refused string
		year    float64
	}{
		"ce-structured-upper-suffix":   {title: "Lekythos with a mourner", year: -450},
		"dbz-cloudevents-snapshot":     {title: "Lekythos, cleaned", year: -450},
		"dbz-message-event":            {refused: profile.ReasonBadEnvelope},
		"dbz-mongodb-update":           {title: "Lekythos, cleaned"},
		"dbz-unwrapped-delete-rewrite": {deleted: true},
		"list-of-one-date":             {title: "Hydria", year: 1889},
		"list-of-one-location":         {title: "Hydria"},
		"iso-dates-as-years":           {title: "Letter", year: 1899},
	} {
		raw, err := os.ReadFile(filepath.Join("../../shared/cases/records", name+".json"))
		if err != nil {
			t.Skipf("no cases here: %v", err)
		}
		var records []struct {
			Key, Value *string
			Headers    [][2]string
		}
		if err := json.Unmarshal(raw, &records); err != nil {
			t.Fatal(err)
		}
		last := records[len(records)-1]
		rec := Record{Key: []byte(*last.Key), Value: []byte(*last.Value)}
		for _, h := range last.Headers {
			rec.Headers = append(rec.Headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
		item := Decode(rec, profile.Limits{})
		switch a := item.Artifact; {
		case want.refused != "":
			if item.Refusal == nil || item.Refusal.Reason != want.refused {
				t.Errorf("%s: refusal %v, want %s", name, item.Refusal, want.refused)
			}
		case item.Refusal != nil || (a == nil) != want.deleted:
			t.Errorf("%s: artifact %+v, refusal %v", name, a, item.Refusal)
		case a != nil && (a.Title != want.title || want.year != 0 && (a.Date == nil || *a.Date.Begin != want.year)):
			t.Errorf("%s: got %+v", name, a)
		}
	}
}
