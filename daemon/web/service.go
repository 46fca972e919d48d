package web

import (
	"context"
	"errors"
	"time"

	"kilim/consumer/profile"
	"kilim/learner/train/eval"
	"kilim/learner/train/registry"
	"kilim/rerank"
)

// Errors of a Service, wrapped or not; the text of the wrapping goes to the
// client. Any other error is answered with 500 and only logged: a profile.Refusal too, since it is about what is stored; what
// the request brings is checked before the Service is asked.
var (
	ErrNotFound    = errors.New("not found")             // 404
	ErrUnknownList = errors.New("unknown list")          // 404
	ErrBadRequest  = errors.New("bad request")           // 400
	ErrConflict    = errors.New("not possible now")      // 409
	ErrDamaged     = errors.New("damaged")               // 500, with a text for the client
	ErrUnavailable = errors.New("service not available") // 503: starting or stopping
)

// Service answers the queries. It is called from many goroutines.
type Service interface {
	Catalogue
	MapService
	// Artifact returns what is stored of an artifact, as a value for encoding/json.
	Artifact(ctx context.Context, id string) (artifact any, found bool, err error)
	// Similar returns the first k of an artifact's list; an id that is not stored is ErrNotFound.
	Similar(ctx context.Context, id, list string, k int) (*Answer, error)
	// SimilarTo returns the list that an artifact would get, and stores nothing. a.ID is
	// empty when the query had no id: no stored artifact has that one.
	SimilarTo(ctx context.Context, a *profile.Artifact, list string, k int) (*Answer, error)
	// Ask returns the first k of each list that an artifact would get, with cards, and stores nothing. A medium in it that can't be used
	// is an UnfitMediumError.
	Ask(ctx context.Context, a *profile.Artifact, k int) (*Asked, error)
	ThemeService
	JudgmentService
	QueryService
	RankingService
	// Evaluate judges a list against a truth.
	Evaluate(ctx context.Context, truth *eval.Truth, list string) (*eval.Report, error)
	// Cultures compares the largest groups of a kind (culture, period or place), at most k, in a theme if it is not empty, as a value for encoding/json.
	Cultures(ctx context.Context, kind, theme string, k int) (answer any, err error)
	// Models tells which models there are and which serves.
	Models(ctx context.Context) (*Models, error)
	// Promote has the model of an epoch serve as soon as its state is made, Rollback one that has served before.
	Promote(ctx context.Context, epoch uint32) error
	Rollback(ctx context.Context, epoch uint32) error
	Status(ctx context.Context) (*Status, error)
	// Slowest are the batches of the last hour, published since a time, whose own lists came latest, the slowest first; never nil.
	Slowest(since time.Time) []SlowBatch
	// Ready returns why queries can't be answered yet, or nil.
	Ready() error
}

// Answer is a list of similar artifacts, best first.
type Answer struct {
	ID        string    `json:"id"`
	List      string    `json:"list"`
	Staleness Staleness `json:"staleness"`
	// DriftBound is missing where it is not known: refresh.epsilon was raised after an embedding was made.
	DriftBound *DriftBound    `json:"drift_bound,omitempty"`
	Epoch      uint32         `json:"epoch"`
	Items      []rerank.Entry `json:"items"`
}

// Staleness tells how old what an answer knows may be. What the settings let be is not in it: refresh.epsilon,
// lists.tolerance and refresh.sweep.
type Staleness struct {
	// Seconds is for how long the oldest embedding or list of the archive that is stale has waited for the background: all changes
	// before that are in the answer. 0: all are.
	Seconds float64 `json:"seconds"`
	// Changes is about how many changes of the archive (records, and embeddings that moved, each by how far) there have been
	// since the list was last computed in full. Who belongs into it has been entered nonetheless. Missing: the list waits to be
	// computed in full again.
	Changes *int64 `json:"changes,omitempty"`
}

// DriftBound is how far an answer may be from the exact one because of refresh.epsilon, at worst.
type DriftBound struct {
	// Embedding is the distance of the artifact's embedding from the exact one, both of length 1.
	Embedding float64 `json:"embedding"`
	// Score is by how much a score of the list may be off.
	Score float64 `json:"score"`
}

// Models are the models in the registry, and which of them serves.
type Models struct {
	// Serving is the epoch of the model that serves.
	Serving uint32 `json:"serving"`
	// Generation is the number of the state that serves: each state of another model, or of other encoders, has the next one.
	Generation int `json:"generation"`
	// Republishing: the lists of the state that serves are not all published yet.
	Republishing bool             `json:"republishing"`
	Next         *Making          `json:"next,omitempty"`
	Models       []registry.Model `json:"models"` // by epoch
}

// Making tells how far the state of another model is made.
type Making struct {
	Epoch uint32 `json:"epoch"`
	// Phase is waiting (for the lists of the present state to be published), filling, completing or failed.
	Phase string `json:"phase"`
	// Ratio is how much is done, from 0 to 1, an estimate.
	Ratio float64 `json:"ratio"`
	// Error is why Phase is failed; the state is made again when a promotion asks for it, and at the next start.
	Error string `json:"error,omitempty"`
}

// Status is where the daemon stands. Everything that was consumed is published
// when Assigned is true and Lag, RefreshQueue and Outbox are 0, and with it everything that pictures and
// recordings tell when no media wait.
type Status struct {
	Ready         bool    `json:"ready"`
	Reason        string  `json:"reason,omitempty"` // why Ready is false
	Version       string  `json:"version"`
	UptimeSeconds float64 `json:"uptime_seconds"`

	Artifacts    int            `json:"artifacts"`
	Placeholders int            `json:"placeholders"` // link targets that have not come yet
	Nodes        map[string]int `json:"nodes"`        // by type
	Edges        map[string]int `json:"edges"`        // by relation

	Assigned     bool   `json:"assigned"`      // the consumer group gave this daemon its partitions, and Lag is known
	Lag          int64  `json:"lag"`           // records not yet durable in the state
	RefreshQueue int    `json:"refresh_queue"` // nodes that wait to be computed again, and lists that wait to be published
	Outbox       int    `json:"outbox"`        // messages not yet acknowledged by the brokers
	Epoch        uint32 `json:"epoch"`         // of the model
	Revision     uint64 `json:"revision"`      // of the state

	// RefreshAge is for how many seconds the oldest embedding or list that is stale has waited for the background; 0: none is.
	RefreshAge float64 `json:"refresh_oldest_age_seconds"`

	Index   IndexStatus   `json:"index"`
	Records RecordsStatus `json:"records"`
	Memory  MemoryStatus  `json:"memory"`
	// Media tells, by modality, how far their encoding has come; modalities without an encoder are left out.
	Media map[string]MediaStatus `json:"media"`
	// Training is missing when none is configured.
	Training *Training `json:"training,omitempty"`
	// Themes is missing when none is to be learned.
	Themes *ThemesStatus `json:"themes,omitempty"`
	// Ranking is missing while nobody has judged anything.
	Ranking *RankingStatus `json:"ranking,omitempty"`
	// Follow is missing without publish.follow.
	Follow *FollowStatus `json:"follow,omitempty"`
}

// MemoryStatus is what memory the daemon has, in bytes, as package daemon/memory/held tells it.
type MemoryStatus struct {
	Limit   uint64 `json:"limit"` // the setting memory.limit
	Live    uint64 `json:"live"`
	Garbage uint64 `json:"garbage"`
	Free    uint64 `json:"free"`
	Other   uint64 `json:"other"`
	Own     uint64 `json:"own"`
	Mapped  uint64 `json:"mapped"`
}

// FollowStatus is which of two daemons this one is.
type FollowStatus struct {
	// Role is follower, taking over or owner, who publishes, and Since is when it began.
	Role  string    `json:"role"`
	Since time.Time `json:"since"`
	// Behind are the records that the owner has applied and this daemon has not.
	Behind int64 `json:"behind"`
}

// Training is where the fine-tuning of the model stands.
type Training struct {
	// Phase is idle, snapshot (the archive is read), training or judging.
	Phase string `json:"phase"`
	// Step of Steps at most, in a Stage (heads, unfreeze or full), while training.
	Step  int    `json:"step,omitempty"`
	Steps int    `json:"steps,omitempty"`
	Stage string `json:"stage,omitempty"`
	// Changed is how much the archive has changed since the last training began, in archives, and Drift how far its mix of
	// cultures and types has shifted, in 0..1.
	Changed float64 `json:"changed"`
	Drift   float64 `json:"drift"`
	// Least is the number of artifacts below which nothing is trained.
	Least int      `json:"least"`
	Last  *Trained `json:"last,omitempty"`
}

// Trained is how a training has ended.
type Trained struct {
	At     time.Time `json:"at"`
	Result string    `json:"result"`          // promoted, rejected or failed
	Epoch  uint32    `json:"epoch,omitempty"` // of the model that it made
	Reason string    `json:"reason"`
}

// IndexStatus is about the search index.
type IndexStatus struct {
	Engine  string `json:"engine"`
	Vectors int    `json:"vectors"`
}

// RecordsStatus counts records since the start of the process.
type RecordsStatus struct {
	Consumed int64 `json:"consumed"`
	Refused  int64 `json:"refused"`
	// LastRefused is missing while none was.
	LastRefused *Refused `json:"last_refused,omitempty"`
	// Unread counts, by name, the applied records with a field that is no artifact's, and under "date" those with a year that is
	// none; of at most 64 names.
	Unread map[string]int64 `json:"unread,omitempty"`
}

// Refused is a record that went to the dead letters.
type Refused struct {
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	ID        string    `json:"id,omitempty"`
	Reason    string    `json:"reason"`
	Detail    string    `json:"detail"`
	Time      time.Time `json:"time"` // the record's
}

// MediaStatus counts media of one modality (for text: the artifacts whose texts an external encoder is given).
type MediaStatus struct {
	Encoded int `json:"encoded"`
	Waiting int `json:"waiting"`
	Refused int `json:"refused"` // can't be encoded
	// Held are those of Waiting that failed several times in a row, by themselves or because their encoder did. They
	// are tried again, ever less often.
	Held int `json:"held"`
	// Again are those of Refused that were not there or not allowed, and are tried again since the start.
	Again int `json:"again"`
}
