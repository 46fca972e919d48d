package consumer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	fetchapi "github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchRequest is a fetch of one partition whose answer is left packed: kafka-go's own unpacks an answer whole while it is
// received. kafka-go's transport finds the leader and makes the connection; fetchRequest writes and reads on it.
type fetchRequest struct {
	kmsg.FetchRequest
	tp       TopicPartition
	clientID string
	usual    int // bytes of an answer that need no more room than is made at once
}

type fetchAnswer struct{ kmsg.FetchResponse }

// maxFetchVersion is the last one whose answers have no tagged fields in their heads, and the one that kafka-go speaks.
const maxFetchVersion = 11

// frameRest is what an answer has beside the batches, with room to spare.
const frameRest = 4 << 10

func (*fetchRequest) ApiKey() protocol.ApiKey { return protocol.Fetch }
func (*fetchAnswer) ApiKey() protocol.ApiKey  { return protocol.Fetch }

// Broker finds the partition's leader.
func (r *fetchRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return (&fetchapi.Request{Topics: []fetchapi.RequestTopic{{
		Topic: r.tp.Topic, Partitions: []fetchapi.RequestPartition{{Partition: int32(r.tp.Partition)}},
	}}}).Broker(cluster)
}

// Required has kafka-go leave the exchange to RawExchange, in the version that it agreed on.
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.SetVersion(min(versions[protocol.Fetch], maxFetchVersion))
	return true
}

// RawExchange writes the request and reads its answer. After an error kafka-go closes the connection.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	const id = 1 // one request at a time is on its way on a connection
	if _, err := rw.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID(r.clientID)).AppendRequest(nil, &r.FetchRequest, id)); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	var head [8]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if got := binary.BigEndian.Uint32(head[4:]); size < 0 || got != id {
		return nil, fmt.Errorf("read: an answer to request %d of %d bytes, want one to request %d", got, size, id)
	}
	// What is more than was asked for (a batch larger than that is sent whole) has its room made as it comes.
	body := bytes.NewBuffer(make([]byte, 0, min(size, int64(r.usual+frameRest))))
	if _, err := io.CopyN(body, rw, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %d of %d bytes: %w", body.Len(), size, err)
	}
	answer := &fetchAnswer{FetchResponse: kmsg.NewFetchResponse()}
	answer.SetVersion(r.GetVersion())
	if err := answer.ReadFrom(body.Bytes()); err != nil {
		return nil, fmt.Errorf("an answer of %d bytes: %w", size, err)
	}
	return answer, nil
}
