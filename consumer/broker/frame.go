package broker

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	// maxProduceBytes bounds a Produce request: a batch of maxBatchBytes for a topic, and as much for others.
	maxProduceBytes = 2 * maxBatchBytes
	// maxRequestBytes bounds every other request. An OffsetCommit of 10,000 partitions has some 200 KiB.
	maxRequestBytes = 512 << 10
	// maxFetchBytes is what a Fetch may ask for at most. More is cut to it, as Kafka's fetch.max.bytes does.
	maxFetchBytes = 32 << 20
	// maxNewPartitions bounds what a request may create: kfake holds each partition in memory and in a folder.
	maxNewPartitions = 10_000
	// maxBatchRecords bounds what the head of a batch says of its records: by it kfake moves the end of the
	// partition, whatever is in the batch.
	maxBatchRecords = maxBatchBytes

	// produceFactor and requestFactor turn the size of a request into the memory that it may take: a Produce
	// is held here, in kfake's buffer and on its way to the segment; kmsg makes up to 128 bytes of the head of an array for
	// each byte that follows it, on two levels.
	produceFactor = 3
	requestFactor = 256
)

// headBytes is the shortest head of a request: key, version, correlation id, length of the client id.
const headBytes = 2 + 2 + 4 + 2

// served are the requests that kilim and the usual clients need. kfake knows more; each more is code that
// unauthenticated bytes reach.
var served = []kmsg.Key{
	kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata,
	kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator,
	kmsg.JoinGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.SyncGroup, kmsg.DescribeGroups, kmsg.ListGroups, kmsg.DeleteGroups, kmsg.OffsetDelete,
	kmsg.ApiVersions, kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.DeleteRecords, kmsg.CreatePartitions,
	kmsg.InitProducerID, kmsg.OffsetForLeaderEpoch,
	kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit,
	kmsg.DescribeConfigs, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs,
}

// walked are the requests whose flexible versions are served, up to the highest that frameCheck can walk: ApiVersions, with which
// clients begin; Metadata, which alone tells the ids of topics; and InitProducerID, by whose version kfake decides how
// forgiving it is to producers that it has forgotten.
var walked = map[kmsg.Key]int16{kmsg.ApiVersions: 5, kmsg.Metadata: 13, kmsg.InitProducerID: 5}

// versions are the highest versions of the served requests: those before the flexible ones, except for walked. A flexible request
// has lists of tags, and kmsg reads as many tags as a list says that it has, four billion, though the request has
// ended long before.
func versions() *kversion.Versions {
	v := new(kversion.Versions)
	for _, key := range served {
		highest, ok := walked[key]
		if !ok {
			req := key.Request()
			highest = req.MaxVersion()
			for req.SetVersion(highest); highest > 0 && req.IsFlexible(); req.SetVersion(highest) {
				highest--
			}
		}
		v.SetMaxKeyVersion(key.Int16(), highest)
	}
	return v
}

// frameCheck decides what of the bytes of a connection reaches kfake. kfake trusts them: it makes a buffer of any size, panics at an
// unknown request, and a panic in one of its goroutines ends the process, since nobody else can recover it.
type frameCheck struct {
	highest map[int16]int16
}

func newFrameCheck() *frameCheck {
	c := &frameCheck{highest: map[int16]int16{}}
	versions().EachMaxKeyVersion(func(key, version int16) { c.highest[key] = version })
	return c
}

// head checks the size of a request and the four bytes behind it, and returns the size and the memory that the request may take.
func (c *frameCheck) head(raw [8]byte) (size int, cost int64, err error) {
	n := binary.BigEndian.Uint32(raw[:])
	key, version := int16(binary.BigEndian.Uint16(raw[4:])), int16(binary.BigEndian.Uint16(raw[6:]))
	if err := foreign(raw); err != nil {
		return 0, 0, err
	}
	most, factor := uint32(maxRequestBytes), int64(requestFactor)
	if key == kmsg.Produce.Int16() {
		most, factor = maxProduceBytes, produceFactor
	}
	highest, known := c.highest[key]
	switch {
	case n < headBytes || n > most:
		return 0, 0, fmt.Errorf("a request of %d bytes, want %d to %d", n, headBytes, most)
	case !known:
		return 0, 0, fmt.Errorf("request %d is not served", key)
	// A client begins with the highest ApiVersions that it knows, and is told which is the broker's.
	case version < 0 || version > highest && key != kmsg.ApiVersions.Int16():
		return 0, 0, fmt.Errorf("version %d of request %s is not served, the highest is %d", version, kmsg.NameForKey(key), highest)
	}
	return int(n), int64(n) * factor, nil
}

// foreign names the two protocols that are spoken to a wrong port most often; their first bytes would be a size of a gigabyte or less.
func foreign(raw [8]byte) error {
	if raw[0] == 0x16 && raw[1] == 3 {
		return errors.New("this is TLS, which this broker does not have")
	}
	for _, method := range []string{"GET ", "POST", "PUT ", "HEAD", "OPTI", "PATC", "DELE", "CONN", "TRAC", "PRI "} {
		if string(raw[:4]) == method {
			return errors.New("this is HTTP")
		}
	}
	return nil
}

// body checks a whole request, its size in front, whose head passed.
func (c *frameCheck) body(raw []byte) (unanswered bool, err error) {
	key, version := int16(binary.BigEndian.Uint16(raw[4:])), int16(binary.BigEndian.Uint16(raw[6:]))
	w := &walk{left: raw[12:]}
	w.text() // client id
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	if req.IsFlexible() {
		w.tags()
	}
	if w.failed {
		return false, errors.New("the head of the request is longer than the request")
	}
	switch body := w.left; kmsg.Key(key) {
	case kmsg.ApiVersions:
		return false, w.apiVersions(version)
	case kmsg.Metadata:
		if req.IsFlexible() {
			return false, w.metadata(version)
		}
	case kmsg.InitProducerID:
		if req.IsFlexible() {
			return false, w.initProducerID(version)
		}
	case kmsg.Produce:
		return w.produce(version)
	case kmsg.Fetch:
		return false, limitFetch(body, version)
	case kmsg.CreateTopics:
		return false, checkNewTopics(body, version)
	case kmsg.CreatePartitions:
		return false, checkNewPartitions(body, version)
	}
	return false, nil
}

// limitFetch cuts what the whole answer may have, in place: kfake makes it in memory. The field stands behind those of the
// replica, the longest wait and the fewest bytes.
func limitFetch(body []byte, version int16) error {
	const at = 4 + 4 + 4
	if version < 3 {
		return fmt.Errorf("version %d of Fetch has no limit", version)
	}
	if len(body) < at+4 {
		return errors.New("a Fetch ends too early")
	}
	if int32(binary.BigEndian.Uint32(body[at:])) > maxFetchBytes {
		binary.BigEndian.PutUint32(body[at:], maxFetchBytes)
	}
	return nil
}

func checkNewTopics(body []byte, version int16) error {
	req := kmsg.NewCreateTopicsRequest()
	req.SetVersion(version)
	if err := req.ReadFrom(body); err != nil {
		return fmt.Errorf("CreateTopics: %w", err)
	}
	total := 0
	for _, t := range req.Topics {
		if t.NumPartitions < -1 || t.NumPartitions > maxNewPartitions {
			return fmt.Errorf("CreateTopics: %d partitions, want at most %d", t.NumPartitions, maxNewPartitions)
		}
		total += max(1, int(t.NumPartitions), len(t.ReplicaAssignment))
	}
	if total > maxNewPartitions {
		return fmt.Errorf("CreateTopics: %d partitions, want at most %d", total, maxNewPartitions)
	}
	return nil
}

func checkNewPartitions(body []byte, version int16) error {
	req := kmsg.NewCreatePartitionsRequest()
	req.SetVersion(version)
	if err := req.ReadFrom(body); err != nil {
		return fmt.Errorf("CreatePartitions: %w", err)
	}
	total := 0
	for _, t := range req.Topics {
		if t.Count < 0 || t.Count > maxNewPartitions {
			return fmt.Errorf("CreatePartitions: %d partitions, want at most %d", t.Count, maxNewPartitions)
		}
		total += int(t.Count)
	}
	if total > maxNewPartitions {
		return fmt.Errorf("CreatePartitions: %d partitions, want at most %d", total, maxNewPartitions)
	}
	return nil
}

// checkBatch checks what kfake believes of a batch without looking: how many records it has. (kfake itself checks the rest of
// the head, and the sum.)
func checkBatch(raw []byte) error {
	const (
		attributes = batchCRC + 4
		count      = attributes + 2 + 4 + 8 + 8 + 8 + 2 + 4
	)
	if len(raw) < count+4 {
		return errors.New("a batch ends too early")
	}
	records := int32(binary.BigEndian.Uint32(raw[count:]))
	if records < 1 || records > maxBatchRecords {
		return fmt.Errorf("a batch of %d records, want 1 to %d", records, maxBatchRecords)
	}
	if codec := raw[attributes+1] & codecBits; codec != 0 {
		return nil // what is packed is counted by who unpacks it
	}
	for left := raw[count+4:]; records > 0; records-- {
		size, n := binary.Varint(left)
		if n <= 0 || size < 0 || size > int64(len(left)-n) {
			return errors.New("a batch has fewer records than it says")
		}
		left = left[n+int(size):]
	}
	return nil
}
