package config

import (
	"math"
	"strings"
	"time"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/memory"
)

// Config is every setting of `kilim serve`.
//
// Tags that kong does not know: min and max bound a number (inclusive), oneof lists
// the words allowed.
type Config struct {
	Listen
	State
}

// Listen is where the daemon answers over HTTP.
type Listen struct {
	HTTP          string `name:"http" default:"127.0.0.1:9464" placeholder:"HOST:PORT" help:"Address of metrics, health and queries. Whoever reaches it can read the archive: keep it on loopback or give --web-config-file."`
	HTTPHosts     List   `name:"http-hosts" placeholder:"NAME" help:"Names that the HTTP address may be asked for, separated by commas, beside IP addresses and localhost: those that a reverse proxy passes on, such as archive.example.org. Other names are refused on loopback without --web-config-file, for a web page can have its own name lead there; with names given here they are refused everywhere."`
	WebConfigFile string `placeholder:"FILE" help:"TLS and basic authentication of the HTTP address, in the format of Prometheus' exporter-toolkit. Read again at each change."`
}

// State is what a state folder is made and read with: everything but Listen.
type State struct {
	Client
	Data     string   `default:"./data" placeholder:"DIR" help:"Folder of the whole state. One process may have it open."`
	Log      Log      `embed:"" prefix:"log."`
	Ingest   Ingest   `embed:"" prefix:"ingest."`
	Encoders Encoders `embed:"" prefix:"encoders."`
	Media    Media    `embed:"" prefix:"media."`
	Index    Index    `embed:"" prefix:"index."`
	Refresh  Refresh  `embed:"" prefix:"refresh."`
	Lists    Lists    `embed:"" prefix:"lists."`
	Publish  Publish  `embed:"" prefix:"publish."`
	Model    Model    `embed:"" prefix:"model."`
	Train    Train    `embed:"" prefix:"train."`
	Themes   Themes   `embed:"" prefix:"themes."`
	Rank     Rank     `embed:"" prefix:"rank."`
	Memory   Memory   `embed:"" prefix:"memory."`
	Demo     Demo     `embed:"" prefix:"demo."`
}

// Client is what every command needs that talks to Kafka.
type Client struct {
	Broker string `default:"embedded://127.0.0.1:9092" placeholder:"ADDRESS" help:"Kafka: host:port,host:port of a cluster, or embedded://HOST:PORT for the broker inside of the daemon, which keeps its log in the data folder and listens on loopback."`
	Kafka  Kafka  `embed:"" prefix:"kafka."`
}

// Kafka is how to speak to the cluster, and the names in it.
type Kafka struct {
	Group       string `default:"kilim" help:"Consumer group, of this daemon alone. While another member is in it, a second daemon or any other consumer, nothing is read."`
	Topics      Topics `embed:"" prefix:"topics."`
	Partitions  int    `default:"1" min:"1" max:"10000" help:"Partitions of topics that are missing and get created. Existing ones are left alone."`
	Replication int    `default:"1" min:"1" max:"100" help:"Replicas of topics that are missing and get created. The embedded broker has one."`
	TLS         TLS    `name:"tls" embed:"" prefix:"tls."`
	SASL        SASL   `name:"sasl" embed:"" prefix:"sasl."`
}

// Topics are the names of the topics.
type Topics struct {
	Artifacts   string `default:"kilim.artifacts" help:"Topic of the artifacts, read."`
	Similar     string `default:"kilim.similar" help:"Topic of the lists, written, compacted."`
	Cultures    string `default:"kilim.cultures" help:"Topic of how near cultures, periods and places are, overall and by theme, written, compacted."`
	DeadLetters string `default:"kilim.artifacts.dlq" help:"Topic of the records that can't be used, written."`
	Owner       string `default:"kilim.owner" help:"Topic in which the daemon that publishes says that it is there, with publish.follow, compacted."`
	Judgments   string `default:"kilim.judgments" help:"Topic of what people say of how alike two artifacts are, read and written, compacted."`
	Queries     string `default:"kilim.queries" help:"Topic of the standing queries, read and written, compacted."`
	QueryLists  string `default:"kilim.queries.similar" help:"Topic of the lists of standing queries, written, compacted."`
}

// TLS of the connections to Kafka. All files are PEM.
type TLS struct {
	Enabled            bool   `help:"Encrypt the connections to Kafka."`
	CAFile             string `name:"ca-file" placeholder:"FILE" help:"Certificate authorities of the brokers, instead of the system's."`
	CertFile           string `placeholder:"FILE" help:"The client's own certificate, for mutual TLS."`
	KeyFile            string `placeholder:"FILE" help:"The key of the client's certificate."`
	ServerName         string `placeholder:"NAME" help:"Name expected in the brokers' certificates, instead of the address."`
	InsecureSkipVerify bool   `help:"Accept any certificate. For experiments only."`
}

// SASL is the authentication at the brokers.
type SASL struct {
	Mechanism    string `oneof:",plain,scram-sha-256,scram-sha-512" placeholder:"NAME" help:"Authentication at the brokers: plain, scram-sha-256, scram-sha-512, or none when empty."`
	Username     string `placeholder:"NAME" help:"User name at the brokers."`
	PasswordFile string `placeholder:"FILE" help:"File with the password. The other way is the environment variable KILIM_KAFKA_SASL_PASSWORD; there is no flag, for others can read a process' flags."`
	// Password comes from PasswordVariable only.
	Password Secret `kong:"-"`
}

// Log is the daemon's own log, on standard error.
type Log struct {
	Level  string `default:"info" oneof:"debug,info,warn,error" help:"Least level that is logged: debug, info, warn or error."`
	Format string `default:"text" oneof:"text,json" help:"Form of the log: text or json."`
}

// Ingest bounds what is taken in at once.
type Ingest struct {
	BatchRecords   int   `default:"512" min:"1" max:"100000" help:"Records of one atomic commit at most. More is quicker under load and lets each record wait longer."`
	BatchBytes     Bytes `default:"8MiB" min:"1KiB" max:"1GiB" help:"Bytes of one atomic commit at most."`
	MaxRecordBytes Bytes `default:"1MiB" min:"1KiB" max:"15MiB" help:"A larger record goes to the dead letters. Also bounds the body of an HTTP query."`
	InFlightBytes  Bytes `default:"64MiB" min:"1KiB" max:"64GiB" help:"Bytes fetched and not yet committed, at most the 32nd part of memory.limit: a flood waits in Kafka."`
}

// Index is the search for near vectors.
type Index struct {
	Engine         string  `default:"hnsw" oneof:"hnsw,flat,coder" help:"Search engine: hnsw is a graph, fast and nearly exact; flat compares with every vector, exact and right for small archives; coder is coder/hnsw, of poor recall, for comparison."`
	M              int     `default:"16" min:"2" max:"512" help:"hnsw: links of a vector on each level, twice as many on the lowest. More find more, and cost memory and time of insertion."`
	EfConstruction int     `default:"200" min:"1" max:"100000" help:"hnsw: candidates among which a new vector's links are chosen. More find more, and cost time of insertion."`
	Ef             int     `default:"96" min:"1" max:"100000" help:"hnsw: candidates that a search keeps at least; it keeps half as many more than it is asked for, too. More find more, and cost time of search."`
	LeastRecall    float64 `default:"0.95" min:"0.01" max:"1" help:"Share of the nearest that the index must find, by queries sampled in the background (kilim_index_recall_ratio). Below it the index is built anew beside the one that serves."`
}

// Refresh is how changes spread over the graph.
type Refresh struct {
	Epsilon float64 `default:"0.05" min:"0" max:"10" help:"Change of a node's vector (RMS a coordinate) below which its neighbours are not told. 0 is exact and slow; at 0.05 what neighbours were not told put no embedding of a real feed off by as much as lists.tolerance (kilim_embedding_drift shows yours); features that are renewed late, see refresh.sweep, come on top."`
	Budget  int     `default:"256" min:"0" max:"1000000" help:"Artifacts embedded again with a batch beyond those it changes: one for each of its records, at most this many. The rest follows in the background."`
	Sweep   float64 `default:"0.2" min:"0" max:"1000" help:"Share of the archive that may change before the features and lists made earlier are computed again. 0 recomputes at each change."`
}

// Lists are the lists of similar artifacts.
type Lists struct {
	Size       int           `default:"10" min:"1" max:"200" help:"Entries of each published list. After a change the lists are computed again in the background."`
	Candidates int           `default:"200" min:"1" max:"100000" help:"Nearest artifacts that are scored exactly for each list, and the most that shared rare entities may add."`
	Tolerance  float64       `default:"0.01" min:"0" max:"1" help:"Change of a score below which a list of the same entries in the same order is not published again."`
	Linger     time.Duration `default:"500ms" min:"0s" max:"10s" help:"How long a change of the lists of an artifact that no record brought may wait to be published, while records come or refresh work is left: what follows meanwhile goes in the same message. A record's own lists and tombstones never wait. 0s: nothing does."`
	Weights    Weights       `embed:"" prefix:"weights."`
}

// Weights are what the parts of a total score count, together 1.
type Weights struct {
	Cosine   float64 `default:"0.35" min:"0" max:"1" help:"What the cosine of the embeddings counts in a total score. The five weights together are 1; after a change the lists are computed again in the background."`
	Entities float64 `default:"0.25" min:"0" max:"1" help:"What shared cultures, places, materials and the like count in a total score, the rare ones more."`
	Words    float64 `default:"0.3" min:"0" max:"1" help:"What shared words count in a total score, the rare ones more."`
	Date     float64 `default:"0.05" min:"0" max:"1" help:"What the nearness of dates counts in a total score."`
	Link     float64 `default:"0.05" min:"0" max:"1" help:"What a link between two artifacts counts in a total score."`
}

// check allows for rounding.
func (w *Weights) check() []*Fault {
	if sum := w.Cosine + w.Entities + w.Words + w.Date + w.Link; math.Abs(sum-1) > 1e-6 {
		return []*Fault{faultf("lists.weights.cosine", "%v: the five weights together are %v, want 1", w.Cosine, sum)}
	}
	return nil
}

// Publish is the way of updates to Kafka.
type Publish struct {
	Batch       int    `default:"1000" min:"1" max:"100000" help:"Messages of one request at most."`
	Compression string `default:"snappy" oneof:"none,gzip,snappy,lz4,zstd" help:"Compression of what is published: none, gzip, snappy, lz4 or zstd."`
	// TransactionalID is empty by default: see package publish on what transactions cost.
	TransactionalID string `name:"transactional-id" placeholder:"ID" help:"Publish in Kafka's transactions under this id, the same for all daemons that may publish to these topics one after another: one that begins fences those before it, whose messages the brokers refuse from then on. Readers must be read_committed. Not with the embedded broker. Empty: no transactions."`
	Follow          bool   `help:"Follow the daemon that publishes under the transactional id, and publish in its place when it has been gone for 3 seconds, or at once when it stops; give it to both. Wants train.share 0, themes.works 0 and rank.least 0: what is learned is not shared yet, and two would learn different things."`
}

// Memory is what the daemon may take of the machine's.
type Memory struct {
	Limit Bytes `default:"0" max:"16TiB" help:"Memory of the daemon itself, 512MiB or more; 0 is half of the machine's, or of what its control group may take. Caches, memtables, records in flight, media and trainings have stated shares of it, and Go's collector works the harder the nearer it is. Pages of files, which the system takes back when it needs them, come on top."`
}

// Budget divides the limit.
func (m *Memory) Budget() memory.Budget {
	if m.Limit == 0 {
		return memory.Split(memory.Default())
	}
	return memory.Split(int64(m.Limit))
}

// Demo is the archive of an invented world that the daemon feeds to itself.
type Demo struct {
	Artifacts int     `default:"0" min:"0" max:"100000000" help:"Feed a demo archive of so many artifacts into the topic. 0 feeds none."`
	Rate      float64 `default:"5" min:"0.001" max:"1000000" help:"Demo artifacts a second."`
	Seed      int     `default:"1" min:"0" max:"9223372036854775807" help:"Another seed is another demo archive."`
}

const embeddedScheme = "embedded://"

// Embedded returns the listen address of the embedded broker, and whether it is asked for.
func (c *Client) Embedded() (addr string, ok bool) {
	return strings.CutPrefix(c.Broker, embeddedScheme)
}

// Brokers returns the bootstrap addresses, host:port, of either kind of broker.
func (c *Client) Brokers() []string {
	if addr, ok := c.Embedded(); ok {
		return []string{addr}
	}
	var out []string
	for a := range strings.SplitSeq(c.Broker, ",") {
		if a = strings.TrimSpace(a); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// Conn returns the settings of the connections to Kafka.
func (c *Client) Conn() kafkaconn.Config {
	k := &c.Kafka
	return kafkaconn.Config{
		Brokers: c.Brokers(),
		TLS: kafkaconn.TLS{
			Enabled: k.TLS.Enabled, CAFile: k.TLS.CAFile, CertFile: k.TLS.CertFile, KeyFile: k.TLS.KeyFile,
			ServerName: k.TLS.ServerName, InsecureSkipVerify: k.TLS.InsecureSkipVerify,
		},
		SASL: kafkaconn.SASL{
			Mechanism: k.SASL.Mechanism, Username: k.SASL.Username,
			Password: string(k.SASL.Password), PasswordFile: k.SASL.PasswordFile,
		},
	}
}

// deadLetterBytes is more than any broker of default settings accepts in
// kilim.artifacts: a record that is refused for its size must still fit, with
// the headers that say why.
const deadLetterBytes = "16777216"

// artifactBytes is room for the largest ingest.max-record-bytes with key and headers. A
// broker's own 1 MiB would keep a larger setting from having an effect.
const artifactBytes = "15794176"

// similarBytes is room for the largest update, which is 12 MiB (see package publish): lists.size may be 200, and ids 1,024 bytes.
const similarBytes = "15794176"

// queryBytes is room for the largest standing query, whose record may take 1 MiB.
const queryBytes = "2097152"

// ArtifactsTopic is the topic of the artifacts as it is created when missing. It keeps
// everything, so that a state can be made anew from it.
func (k *Kafka) ArtifactsTopic() kafkaconn.TopicSpec {
	return k.topic(k.Topics.Artifacts, map[string]string{"retention.ms": "-1", "max.message.bytes": artifactBytes})
}

// TopicSpecs are all topics as they are created when missing.
func (k *Kafka) TopicSpecs() []kafkaconn.TopicSpec {
	return []kafkaconn.TopicSpec{
		k.ArtifactsTopic(),
		k.ListsTopic(k.Topics.Similar),
		k.topic(k.Topics.Cultures, map[string]string{"cleanup.policy": "compact"}),
		k.topic(k.Topics.DeadLetters, map[string]string{"retention.ms": "-1", "max.message.bytes": deadLetterBytes}),
		k.JudgmentsTopic(),
		k.topic(k.Topics.Queries, map[string]string{"cleanup.policy": "compact", "max.message.bytes": queryBytes}),
		k.ListsTopic(k.Topics.QueryLists),
	}
}

// ListsTopic is a topic of lists as it is created when missing.
func (k *Kafka) ListsTopic(name string) kafkaconn.TopicSpec {
	return k.topic(name, map[string]string{"cleanup.policy": "compact", "max.message.bytes": similarBytes})
}

// OwnerTopic is the topic in which an owner says that it is there, as it is created when missing. Its segments are small, for two messages a second go there of which
// one is kept.
func (k *Kafka) OwnerTopic() kafkaconn.TopicSpec {
	spec := k.topic(k.Topics.Owner, map[string]string{"cleanup.policy": "compact", "segment.bytes": "1048576", "segment.ms": "3600000"})
	spec.Partitions = 1
	return spec
}

// JudgmentsTopic is the topic of the judgments as it is created when missing.
func (k *Kafka) JudgmentsTopic() kafkaconn.TopicSpec {
	return k.topic(k.Topics.Judgments, map[string]string{"cleanup.policy": "compact"})
}

func (k *Kafka) topic(name string, settings map[string]string) kafkaconn.TopicSpec {
	return kafkaconn.TopicSpec{Name: name, Partitions: k.Partitions, Replication: k.Replication, Config: settings}
}
