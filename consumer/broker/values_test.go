package broker

import (
	"io"
	"math"
	"math/rand/v2"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fillValue gives v values that are well-formed and odd: ends of ranges, names that there are and that there are not.
func fillValue(rng *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		odd := []int64{0, 0, 0, 1, 1, 2, 7, -1, -2, 100, math.MaxInt8, math.MinInt8, math.MaxInt16, math.MinInt16, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
		n := odd[rng.IntN(len(odd))]
		if v.OverflowInt(n) {
			n = 0
		}
		v.SetInt(n)
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1, math.NaN(), math.Inf(1)}[rng.IntN(5)])
	case reflect.String:
		names := []string{"t", "t", "t", "g", "g", "", "u", "segment.bytes", "retention.ms", "cleanup.policy", "-1", "0", "1", "compact", "range", "consumer", "../x", "\x00", "é"}
		v.SetString(names[rng.IntN(len(names))])
	case reflect.Pointer:
		if rng.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillValue(rng, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			raw := make([]byte, rng.IntN(20))
			for i := range raw {
				raw[i] = byte(rng.Uint32())
			}
			v.SetBytes(raw)
			return
		}
		n := rng.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fillValue(rng, v.Index(i), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Name != "UnknownTags" && !(depth == 0 && f.Name == "Version") {
				fillValue(rng, v.Field(i), depth+1)
			}
		}
	}
}

// TestOddValues sends requests that are well-formed and whose values are not what a client sends. A panic in kfake would end
// this process.
func TestOddValues(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	createTopic(t, client(t, b.Addr()), "t")
	rng := rand.New(rand.NewPCG(18, 7))
	requests := good()
	answered := 0
	for range 4000 {
		req := requests[rng.IntN(len(requests))]
		fillValue(rng, reflect.ValueOf(req).Elem(), 0)
		if p, ok := req.(*kmsg.ProduceRequest); ok {
			for _, topic := range p.Topics {
				for i := range topic.Partitions {
					topic.Partitions[i].Records = batchOf(1, "x")
				}
			}
		}
		if sends(t, b.Addr(), ask(req)) {
			answered++
		}
	}
	if answered < 1000 {
		t.Errorf("only %d requests were answered", answered)
	}
	check(t, topicThere(t, b.Addr()))
	alive(t, b.Addr(), "after all")
}

// sends tells whether the request got an answer within a moment: some wait for what never comes.
func sends(t *testing.T, addr string, raw []byte) bool {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	check(t, err)
	defer conn.Close()
	_, _ = conn.Write(raw) // the broker may have closed already
	check(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = io.ReadFull(conn, make([]byte, 8))
	return err == nil
}
