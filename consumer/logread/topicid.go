package logread

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicID is Kafka's own name of a topic (KIP-516): one that is deleted and made anew has another. Zero is that of
// a topic of brokers that give none (Kafka before 2.8).
type TopicID [16]byte

// String writes a TopicID as Kafka's tools do.
func (id TopicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Log names the log of a partition. Without an ID it is whichever has that name.
type Log struct {
	Topic     string
	Partition int
	ID        TopicID

	byID bool // the leader knows fetches by ID
}

// Identify asks the leader of a partition which log it has. It returns a kafka.Error for what the broker refuses.
func (r *Reader) Identify(ctx context.Context, topic string, partition int) (Log, error) {
	res, err := r.topicID(ctx, topic, partition, true)
	if err != nil {
		return Log{}, err
	}
	return Log{Topic: topic, Partition: partition, ID: res.id, byID: res.byID}, nil
}

func (r *Reader) topicID(ctx context.Context, topic string, partition int, probe bool) (*idResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	msg, err := r.Transport.RoundTrip(ctx, r.Addr, &idRequest{leader: leader{topic, partition}, clientID: r.Transport.ClientID, probe: probe})
	if err != nil {
		return nil, fmt.Errorf("id of topic %q: %w", topic, err)
	}
	res := msg.(*idResponse)
	if res.err != nil {
		return nil, fmt.Errorf("id of topic %q: %w", topic, res.err)
	}
	return res, nil
}

// metadataVersion is the first version of Metadata that has topic ids, fetchByID the first of Fetch.
const metadataVersion, fetchByID = 10, 13

// idRequest asks the leader of a partition for the id of its topic. A leader hears of a new topic before it has a log for
// it: so the id that it tells after a fetch is that of the log which the fetch has read, or a later one, never an earlier one.
// Another broker may hear of a new topic only after the leader has answered from its log.
//
// kafka-go knows Metadata up to version 8, and its transport answers such requests from memory. So idRequest exchanges messages
// of package kmsg on a connection of the transport, for which kafka-go has the interface protocol.RawExchanger.
type idRequest struct {
	leader
	clientID string
	// probe asks first what the broker knows: it ends a connection with a request of an unknown version.
	probe bool
}

// idResponse is the answer to an idRequest; id is zero when the broker gives none.
type idResponse struct {
	id   TopicID
	byID bool  // of a probe: the broker knows fetchByID
	err  error // of the broker's, in its answer
}

func (*idRequest) ApiKey() protocol.ApiKey                                  { return protocol.Metadata }
func (*idRequest) Required(map[protocol.ApiKey]int16) bool                  { return true }
func (*idResponse) ApiKey() protocol.ApiKey                                 { return protocol.Metadata }
func (r *idRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) { return r.exchange(rw) }

func (r *idRequest) exchange(rw io.ReadWriter) (*idResponse, error) {
	answer := new(idResponse)
	if r.probe {
		versions := new(kmsg.ApiVersionsResponse)
		if err := exchange(rw, r.clientID, kmsg.NewPtrApiVersionsRequest(), versions, frameRest, maxAnswer); err != nil {
			return nil, err
		}
		if !knows(versions, protocol.Metadata, metadataVersion) {
			return answer, nil
		}
		answer.byID = knows(versions, protocol.Fetch, fetchByID)
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.AllowAutoTopicCreation = metadataVersion, false
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(r.topic)
	req.Topics = append(req.Topics, topic)
	res := new(kmsg.MetadataResponse)
	if err := exchange(rw, r.clientID, req, res, frameRest, maxAnswer); err != nil {
		return nil, err
	}
	if len(res.Topics) != 1 {
		return nil, fmt.Errorf("an answer about %d topics to a question about one", len(res.Topics))
	}
	if code := res.Topics[0].ErrorCode; code != 0 {
		answer.err = kafka.Error(code)
		return answer, nil
	}
	answer.id = res.Topics[0].TopicID
	answer.byID = answer.byID && answer.id != TopicID{}
	return answer, nil
}

func knows(broker *kmsg.ApiVersionsResponse, key protocol.ApiKey, version int16) bool {
	for _, k := range broker.ApiKeys {
		if k.ApiKey == int16(key) {
			return k.MinVersion <= version && version <= k.MaxVersion
		}
	}
	return false
}

// maxAnswer is more than an answer about one topic or about a broker's versions takes.
const maxAnswer = 64 << 20
