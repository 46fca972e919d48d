package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask is a request as a client sends it.
func ask(req kmsg.Request) []byte {
	raw := []byte{0, 0, 0, 0}
	raw = binary.BigEndian.AppendUint16(raw, uint16(req.Key()))
	raw = binary.BigEndian.AppendUint16(raw, uint16(req.GetVersion()))
	raw = append(raw, 0, 0, 0, 7, 0, 2, 'm', 'e')
	if req.IsFlexible() {
		raw = append(raw, 0)
	}
	return sized(req.AppendTo(raw))
}

func sized(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw, uint32(len(raw)-4))
	return raw
}

// batchOf is an uncompressed batch with a correct sum that says that it has so many records.
func batchOf(says int32, values ...string) []byte {
	var records []byte
	for i, v := range values {
		r := kmsg.NewRecord()
		r.OffsetDelta, r.Value = int32(i), []byte(v)
		whole := r.AppendTo(nil)
		r.Length = int32(len(whole) - 1)
		records = r.AppendTo(records)
	}
	b := kmsg.NewRecordBatch()
	b.Magic, b.NumRecords, b.LastOffsetDelta, b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Records = 2, says, says-1, -1, -1, -1, records
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchHead))
	binary.BigEndian.PutUint32(raw[batchCRC:], crc32.Checksum(raw[batchCRC+4:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func produceOf(acks int16, batch []byte) kmsg.Request {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(8)
	req.Acks = acks
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.Partitions = "t", append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// good are requests that must pass, in all versions that are served.
func good() []kmsg.Request {
	var all []kmsg.Request

	versions().EachMaxKeyVersion(func(key, highest int16) {
		for v := range highest + 1 {
			req := kmsg.RequestForKey(key)
			req.SetVersion(v)
			switch req := req.(type) {
			case *kmsg.ProduceRequest:
				if v < 3 {
					continue
				}
				*req = *produceOf(1, batchOf(2, "a", "b")).(*kmsg.ProduceRequest)
				req.SetVersion(v)
			case *kmsg.FetchRequest:
				if v < 4 {
					continue
				}
			case *kmsg.MetadataRequest:
				name := "t"
				req.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}, {Topic: &name}}
			case *kmsg.ApiVersionsRequest:
				req.ClientSoftwareName, req.ClientSoftwareVersion = "x", "1"
			case *kmsg.CreateTopicsRequest:
				req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: "t", NumPartitions: 3, ReplicationFactor: 1}}
			}
			all = append(all, req)
		}
	})
	return all
}

// judge gives a whole request to the check as guarded does.
func judge(c *frameCheck, raw []byte) (bool, error) {
	if len(raw) < 8 {
		return false, errors.New("short")
	}
	size, cost, err := c.head([8]byte(raw))
	if err != nil {
		return false, err
	}
	if cost < int64(size) || cost > inFlightBytes {
		return false, fmt.Errorf("cost %d of %d bytes can never be had", cost, size)
	}
	if len(raw) < 4+size {
		return false, errors.New("short")
	}
	return c.body(raw[:4+size])
}

func TestGoodFramesPass(t *testing.T) {
	t.Parallel()
	c := newFrameCheck()
	all := good()
	if len(all) < 100 {
		t.Fatalf("only %d requests", len(all))
	}
	for _, req := range all {
		if _, err := judge(c, ask(req)); err != nil {
			t.Errorf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
		}
	}
	if unanswered, err := judge(c, ask(produceOf(0, batchOf(1, "x")))); err != nil || !unanswered {
		t.Errorf("a Produce with acks=0: unanswered %v, %v", unanswered, err)
	}
	newer := ask(&kmsg.ApiVersionsRequest{Version: 5, ClientSoftwareName: "x", ClientSoftwareVersion: "1"})
	newer[7] = 9
	if _, err := judge(c, newer); err != nil {
		t.Errorf("ApiVersions of a client from the future: %v", err)
	}
}

// hostile are connections' beginnings that must not reach kfake.
func hostile() map[string][]byte {
	head := func(key, version int16, rest ...byte) []byte {
		raw := binary.BigEndian.AppendUint16([]byte{0, 0, 0, 0}, uint16(key))
		raw = binary.BigEndian.AppendUint16(raw, uint16(version))
		return sized(append(append(raw, 0, 0, 0, 1), rest...))
	}
	manyTags := []byte{0xff, 0xff, 0xff, 0xff, 0x07}
	topics := func(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0, 0}, n) }
	newTopic := func(partitions int32) []byte {
		return ask(&kmsg.CreateTopicsRequest{Version: 2, Topics: []kmsg.CreateTopicsRequestTopic{{Topic: "t", NumPartitions: partitions, ReplicationFactor: 1}}})
	}
	cases := map[string][]byte{
		"HTTP GET":                  []byte("GET / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n"),
		"HTTP POST":                 []byte("POST / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n"),
		"HTTP/2":                    []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		"TLS":                       append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, make([]byte, 60)...),
		"SSH":                       []byte("SSH-2.0-OpenSSH_9.6\r\n"),
		"unknown key":               head(0x7f00, 0, 0, 0),
		"negative key":              head(-1, 0, 0, 0),
		"key that is not served":    head(int16(kmsg.ShareFetch), 1, 0, 0),
		"negative version":          head(int16(kmsg.Metadata), -1, 0, 0),
		"version above the highest": head(int16(kmsg.Fetch), 12, 0, 0, 0),
		"no size":                   make([]byte, 16),
		"size of 9":                 {0, 0, 0, 9, 0, 18, 0, 0, 0, 0, 0, 1, 0},
		"negative size":             {0xff, 0xff, 0xff, 0xff, 0, 18, 0, 0, 0, 0, 0, 1, 0, 0},
		"large Metadata":            {0, 9, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0},
		"large Produce":             {3, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0},
		"client id too long":        head(int16(kmsg.Metadata), 0, 0x7f, 0xff),
		"tags in the head":          head(int16(kmsg.ApiVersions), 3, append([]byte{0, 0}, manyTags...)...),
		"tags of ApiVersions":       head(int16(kmsg.ApiVersions), 3, append([]byte{0, 0, 0, 2, 'x', 2, '1'}, manyTags...)...),
		"tags of Metadata":          head(int16(kmsg.Metadata), 9, append([]byte{0, 0, 0, 0, 0, 0, 0}, manyTags...)...),
		"tags of InitProducerID":    head(int16(kmsg.InitProducerID), 2, append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, manyTags...)...),
		"topics of Metadata":        head(int16(kmsg.Metadata), 9, append([]byte{0, 0, 0}, manyTags...)...),
		"topics of Produce":         head(0, 8, append([]byte{0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 1}, append(topics(1 << 20)[2:], make([]byte, 1<<20)...)...)...),
		"million partitions":        newTopic(1_000_000),
		"minus five partitions":     newTopic(-5),
		"partitions in all": ask(&kmsg.CreatePartitionsRequest{Topics: []kmsg.CreatePartitionsRequestTopic{
			{Topic: "t", Count: 9000}, {Topic: "u", Count: 9000}}}),
		"batch of no record":        ask(produceOf(1, batchOf(0))),
		"batch of minus 5 records":  ask(produceOf(1, batchOf(-5, "x"))),
		"batch of 2^31 records":     ask(produceOf(1, batchOf(1<<31-1, "x"))),
		"batch of fewer records":    ask(produceOf(1, batchOf(3, "x", "y"))),
		"no batch":                  ask(produceOf(1, nil)),
		"half a batch":              ask(produceOf(1, batchOf(1, "x")[:30])),
		"Fetch that ends too early": head(int16(kmsg.Fetch), 4, 0, 0, 0),
	}
	for name, raw := range given() {
		cases[name] = raw
	}
	return cases
}

// given are the cases of the issue, where they are at hand.
func given() map[string][]byte {
	files, _ := filepath.Glob("/work/shared/cases/wire/*.bin") // a good pattern has no error
	all := map[string][]byte{}
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil {
			all[filepath.Base(f)] = raw
		}
	}
	return all
}

func TestHostileFramesAreRefused(t *testing.T) {
	t.Parallel()
	c := newFrameCheck()
	for name, raw := range hostile() {
		if _, err := judge(c, append(raw, make([]byte, 64)...)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
	for name, raw := range map[string][]byte{"HTTP": []byte("GET / HT"), "TLS": {0x16, 3, 1, 2, 0, 1, 0, 1}} {
		if _, _, err := c.head([8]byte(raw)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFetchIsCut: what a Fetch asks for is cut to what one answer may have, and nothing else of it changes.
func TestFetchIsCut(t *testing.T) {
	t.Parallel()
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(11)
	req.MaxBytes, req.MinBytes, req.MaxWaitMillis = 1<<31-1, 5, 6
	raw := ask(req)
	if _, err := judge(newFrameCheck(), raw); err != nil {
		t.Fatal(err)
	}
	req.MaxBytes = maxFetchBytes
	if want := ask(req); !bytes.Equal(raw, want) {
		t.Errorf("got  %x\nwant %x", raw, want)
	}
	req.MaxBytes = 1 << 20
	small := ask(req)
	if _, err := judge(newFrameCheck(), small); err != nil || !bytes.Equal(small, ask(req)) {
		t.Errorf("a small Fetch was changed (%v)", err)
	}
}

// TestBatchThatUnpacksToMuch: a compacted topic with such a batch must not take gigabytes at each start.
func TestBatchThatUnpacksToMuch(t *testing.T) {
	t.Parallel()
	for _, codec := range []compress.Compression{compress.Gzip, compress.Zstd} {
		var packed bytes.Buffer
		w := codec.Codec().NewWriter(&packed)
		zeros := make([]byte, 1<<20)
		for range maxUnpackedBytes>>20 + 8 {
			_, err := w.Write(zeros)
			check(t, err)
		}
		check(t, w.Close())
		if _, err := unpack(packed.Bytes(), codec); err == nil || !strings.Contains(err.Error(), "unpack to more than") {
			t.Errorf("%v: %v", codec, err)
		}
	}
}

// mutate changes a good request here and there.
func mutate(rng *rand.Rand, raw []byte) []byte {
	raw = bytes.Clone(raw)
	for range 1 + rng.IntN(4) {
		switch at := 4 + rng.IntN(len(raw)-4); rng.IntN(4) {
		case 0:
			raw[at] = byte(rng.Uint32())
		case 1:
			raw[at] = 0xff
		case 2:
			raw = raw[:max(at, 14)]
		case 3:
			raw = append(raw, byte(rng.Uint32()), byte(rng.Uint32()))
		}
	}
	return sized(raw)
}

// parse reads a request that passed as kfake does.
func parse(raw []byte) {
	req := kmsg.RequestForKey(int16(binary.BigEndian.Uint16(raw[4:])))
	req.SetVersion(int16(binary.BigEndian.Uint16(raw[6:])))
	w := &walk{left: raw[12:]}
	w.text()
	if req.IsFlexible() {
		w.tags()
	}
	_ = req.ReadFrom(w.left) // kfake closes the connection after an error
}

// FuzzFrame: the check never panics, and what passes, kmsg reads without a panic and in no time: a list of a billion tags would
// exceed the fuzzer's limit.
func FuzzFrame(f *testing.F) {
	for _, req := range good() {
		f.Add(ask(req))
	}
	for _, raw := range hostile() {
		if len(raw) < 4<<10 {
			f.Add(raw)
		}
	}
	c := newFrameCheck()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 8 && len(raw) < maxRequestBytes {
			sized(raw)
		}
		if _, err := judge(c, raw); err == nil {
			parse(raw)
		}
	})
}
