package consumer

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicID is Kafka's own name of a topic (KIP-516): one that is deleted and made anew has another. Zero is that of
// a topic of brokers that give none (Kafka before 2.8).
type topicID [16]byte

// String writes a topicID as Kafka's tools do.
func (id topicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// metadataVersion is the first version of Metadata that has topic ids.
const metadataVersion = 10

// idRequest asks the leader of a partition for the id of its topic. A leader hears of a new topic before it has a log for
// it: so the id that it tells after a fetch is that of the log which the fetch has read, or a later one, never an earlier one.
// Another broker may hear of a new topic only after the leader has answered from its log.
//
// kafka-go knows Metadata up to version 8, and its transport answers such requests from memory. So idRequest exchanges messages
// of package kmsg on a connection of the transport, for which kafka-go has the interface protocol.RawExchanger.
type idRequest struct {
	tp       TopicPartition
	clientID string
	// probe asks first whether the broker knows metadataVersion: it ends a connection with a request of an unknown version.
	probe bool
}

// idResponse is the answer to an idRequest; id is zero when the broker gives none.
type idResponse struct {
	id  topicID
	err error // of the broker's, in its answer
}

func (*idRequest) ApiKey() protocol.ApiKey                                  { return protocol.Metadata }
func (*idRequest) Required(map[protocol.ApiKey]int16) bool                  { return true }
func (*idResponse) ApiKey() protocol.ApiKey                                 { return protocol.Metadata }
func (r *idRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) { return r.exchange(rw) }

// Broker is how a request chooses its broker, for kafka-go's transport.
func (r *idRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	topic, ok := cluster.Topics[r.tp.Topic]
	if !ok {
		return protocol.Broker{}, kafka.UnknownTopicOrPartition
	}
	b, ok := cluster.Brokers[topic.Partitions[int32(r.tp.Partition)].Leader]
	if !ok {
		return protocol.Broker{}, kafka.LeaderNotAvailable
	}
	return b, nil
}

func (r *idRequest) exchange(rw io.ReadWriter) (*idResponse, error) {
	if r.probe {
		known, err := r.knowsIDs(rw)
		if err != nil || !known {
			return &idResponse{}, err
		}
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.AllowAutoTopicCreation = metadataVersion, false
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(r.tp.Topic)
	req.Topics = append(req.Topics, topic)
	res := new(kmsg.MetadataResponse)
	if err := exchange(rw, r.clientID, req, res, frameRest, maxAnswer); err != nil {
		return nil, err
	}
	if len(res.Topics) != 1 {
		return nil, fmt.Errorf("an answer about %d topics to a question about one", len(res.Topics))
	}
	if code := res.Topics[0].ErrorCode; code != 0 {
		return &idResponse{err: kafka.Error(code)}, nil
	}
	return &idResponse{id: res.Topics[0].TopicID}, nil
}

// knowsIDs is true for a broker that knows metadataVersion.
func (r *idRequest) knowsIDs(rw io.ReadWriter) (bool, error) {
	res := new(kmsg.ApiVersionsResponse)
	if err := exchange(rw, r.clientID, kmsg.NewPtrApiVersionsRequest(), res, frameRest, maxAnswer); err != nil {
		return false, err
	}
	for _, k := range res.ApiKeys {
		if k.ApiKey == int16(protocol.Metadata) {
			return k.MinVersion <= metadataVersion && metadataVersion <= k.MaxVersion, nil
		}
	}
	return false, nil
}

// maxAnswer is more than an answer about one topic or about a broker's versions takes.
const maxAnswer = 64 << 20

// topicID asks for the id of a partition's topic, see idRequest. It returns a kafka.Error for what the broker refuses.
func (f *fetcher) topicID(ctx context.Context, tp TopicPartition, probe bool) (topicID, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	msg, err := f.transport.RoundTrip(ctx, f.addr, &idRequest{tp: tp, clientID: f.transport.ClientID, probe: probe})
	if err != nil {
		return topicID{}, fmt.Errorf("id of topic %q: %w", tp.Topic, err)
	}
	res := msg.(*idResponse)
	if res.err != nil {
		return topicID{}, fmt.Errorf("id of topic %q: %w", tp.Topic, res.err)
	}
	return res.id, nil
}
