package web

import (
	"net/http"
	"time"
)

// SlowBatch is a batch of records whose own lists came late: what it waited for and what its stages took, in seconds.
type SlowBatch struct {
	Revision uint64 `json:"revision"`
	// Published is when Kafka had acknowledged the last of the lists.
	Published time.Time `json:"published"`
	Records   int       `json:"records"`
	// FreshSeconds is from the oldest record's time to Published, and the next four are its parts: until the batch was there to be applied
	// (the producer, Kafka, reading, the batches before), until it had the turn, while it was applied, and until Kafka had the lists.
	FreshSeconds    float64 `json:"fresh_seconds"`
	BeforeSeconds   float64 `json:"before_seconds"`
	TurnSeconds     float64 `json:"turn_seconds"`
	AppliedSeconds  float64 `json:"applied_seconds"`
	DeliverySeconds float64 `json:"delivery_seconds"`
	// StageSeconds are the stages within TurnSeconds and AppliedSeconds, by name.
	StageSeconds map[string]float64 `json:"stage_seconds"`
}

// Slowest are the slowest batches, the slowest first.
type Slowest struct {
	Batches []SlowBatch `json:"batches"`
}

func (s *Server) slowest(w http.ResponseWriter, r *http.Request, _ string) error {
	var since time.Time
	if err := parameters(r.URL, map[string]bool{"since": true}); err != nil {
		return err
	}
	if value := r.URL.Query().Get("since"); value != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, value); err != nil {
			return fail(http.StatusBadRequest, "since %q: want a time as in 2006-01-02T15:04:05Z", value)
		}
	}
	return writeJSON(w, http.StatusOK, Slowest{s.service.Slowest(since)})
}
