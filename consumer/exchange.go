package consumer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

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
	answer := &fetchAnswer{FetchResponse: kmsg.NewFetchResponse()}
	// What is more than was asked for (a batch larger than that is sent whole) has its room made as it comes.
	if err := exchange(rw, r.clientID, &r.FetchRequest, &answer.FetchResponse, int64(r.usual+frameRest), math.MaxInt32); err != nil {
		return nil, err
	}
	return answer, nil
}

// exchange writes a request on a connection that nobody else uses meanwhile, and reads its answer of most bytes at most, of which
// usual have their room made at once.
func exchange(rw io.ReadWriter, clientID string, req kmsg.Request, res kmsg.Response, usual, most int64) error {
	const id = 1 // one request at a time is on its way on a connection
	if _, err := rw.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, req, id)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	var head [8]byte // size, correlation id
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if got := binary.BigEndian.Uint32(head[4:]); size < 0 || size > most || got != id {
		return fmt.Errorf("read: an answer to request %d of %d bytes, want one to request %d of %d at most", got, size, id, most)
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(size, usual)))
	if _, err := io.CopyN(buffer, rw, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read %d of %d bytes: %w", buffer.Len(), size, err)
	}
	body := buffer.Bytes()
	if req.IsFlexible() && len(body) > 0 {
		body = body[1:] // the tags of the answer's head: no version that is asked for has any
	}
	res.SetVersion(req.GetVersion())
	if err := res.ReadFrom(body); err != nil {
		return fmt.Errorf("an answer of %d bytes: %w", size, err)
	}
	return nil
}
