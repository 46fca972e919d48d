package web

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"kilim/learner/train/eval"
	"kilim/rerank"
)

// RankingService answers what is asked about the order that is learned from judgments.
type RankingService interface {
	// SimilarLearned returns the first k of the list total in the learned order, nil while lists are in the stated one.
	SimilarLearned(ctx context.Context, of Subject, k int) (*LearnedAnswer, error)
	// Ranking tells where the learning of an order stands.
	Ranking(ctx context.Context) (*Ranking, error)
}

// LearnedAnswer is the list total in an order that was learned from judgments: the Order.Best first by stated weights, ordered anew, and those behind them as they
// were.
type LearnedAnswer struct {
	ID   string `json:"id"`
	List string `json:"list"`
	// Staleness is that of the stated list.
	Staleness Staleness     `json:"staleness"`
	Epoch     uint32        `json:"epoch"`
	Order     LearnedOrder  `json:"order"`
	Items     []LearnedItem `json:"items"`
}

// LearnedOrder tells what an order was learned from, and when.
type LearnedOrder struct {
	Learned   time.Time `json:"learned"`
	Questions int       `json:"questions"` // judged artifacts
	Groups    int       `json:"groups"`    // of them
	Best      int       `json:"best"`
}

// LearnedItem is one place of such a list. Score is the sum of Parts, exactly: "stated" is what the score by stated weights gives, the others are what
// the features give that stand for their names. Behind the Best, "stated" is the stated score itself and all there is.
type LearnedItem struct {
	ID    string             `json:"id"`
	Score float64            `json:"score"`
	Parts map[string]float64 `json:"parts"`
}

// Ranking is where the learning of an order from judgments stands.
type Ranking struct {
	RankingStatus
	// Phase is idle, reading (documents and stated lists) or fitting.
	Phase string `json:"phase"`
	// Least is how many groups of judged artifacts it takes.
	Least int              `json:"least"`
	Last  *RankingDecision `json:"last,omitempty"`
}

// RankingStatus tells whether lists are in the learned order, and why or why not.
type RankingStatus struct {
	Serving bool   `json:"serving"`
	Reason  string `json:"reason"`
	// Judgments hold, in general and in themes.
	Judgments int `json:"judgments"`
}

// RankingDecision is how the last one was decided.
type RankingDecision struct {
	At time.Time `json:"at"`
	// Epoch and Generation are of the state whose lists it is for.
	Epoch      uint32 `json:"epoch"`
	Generation int    `json:"generation"`
	// Questions are judged artifacts, of so many Groups, of which Useful could teach something.
	Questions int  `json:"questions"`
	Groups    int  `json:"groups"`
	Useful    int  `json:"useful"`
	Artifacts int  `json:"artifacts"`
	Trees     int  `json:"trees"`
	Serves    bool `json:"serves"`
	// Gate is missing when nothing was fitted.
	Gate *RankingGate `json:"gate,omitempty"`
}

// RankingGate is what was seen on Groups of judged artifacts by orders that were not learned from them: the mean nDCG@10 by stated weights and as learned, and the
// gain with its interval of a Level. It is to be Margin at least, and the interval above 0.
type RankingGate struct {
	Groups  int           `json:"groups"`
	Stated  float64       `json:"stated"`
	Learned float64       `json:"learned"`
	Gain    eval.Interval `json:"gain"`
	Level   float64       `json:"level"`
	Margin  float64       `json:"margin"`
}

// byLearned answers for the list total in the learned order. It is done unless another list is asked for, or lists are in the stated order.
func (s *Server) byLearned(w http.ResponseWriter, r *http.Request, of Subject, list string, k int) (done bool, err error) {
	if list != rerank.ListTotal {
		return false, nil
	}
	a, err := s.service.SimilarLearned(r.Context(), of, k)
	if err != nil || a == nil {
		return err != nil, err
	}
	a.ID = cmp.Or(a.ID, queryID)
	return true, writeJSON(w, http.StatusOK, a)
}

func (s *Server) ranking(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	a, err := s.service.Ranking(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a)
}
