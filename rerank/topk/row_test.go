package topk

import (
	"bytes"
	"encoding/hex"
	"testing"

	"kilim/rerank"
)

// FuzzRow: a damaged row is refused or is a row, which is the same when it is written and read again; after an error nothing has changed.
func FuzzRow(f *testing.F) {
	row := Row{RankedAt: 2.5, Revision: 7, Lists: rerank.Lists{{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "a", Score: 0.5}}}, {Name: rerank.ListGeneral}}}
	f.Add(row.Marshal())
	row.Pending = &rerank.Pending{Before: rerank.Lists{{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "b"}, {ID: "a", Score: 0.5}}}}, Causes: []rerank.Cause{{ID: "b"}}}
	f.Add(row.Marshal())
	row.History = rerank.History{1, 1, 2}
	f.Add(row.Marshal())
	row.Depth, row.Again, row.Ordered = 50, true, &rerank.Ordered{Ranker: 3, Entries: []rerank.OrderedEntry{{ID: "b", Score: 1.5}}}
	f.Add(row.Marshal())
	f.Add(new(Row).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		got := Row{Revision: 99}
		if err := got.Unmarshal(b); err != nil {
			if got.Revision != 99 || got.Lists != nil || got.Ordered != nil || got.Pending != nil || got.History != nil {
				t.Errorf("%x was refused and read: %+v", b, got)
			}
			return
		}
		once := got.Marshal()
		var again Row
		if err := again.Unmarshal(once); err != nil || !bytes.Equal(again.Marshal(), once) {
			t.Errorf("%x became %x: %v", b, once, err)
		}
	})
}

// TestRowsWithoutOrder: a row of which no Order has been is written to the byte as it was before there were any.
func TestRowsWithoutOrder(t *testing.T) {
	t.Parallel()
	row := Row{RankedAt: 2.5, Revision: 7, Size: 4, Settings: 2, Lists: rerank.Lists{{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "a", Score: 0.5}}}},
		Pending: &rerank.Pending{Before: rerank.Lists{{Name: rerank.ListTotal, Entries: []rerank.Entry{{ID: "b"}, {ID: "a", Score: 0.5}}}}, Causes: []rerank.Cause{{ID: "b"}}},
		History: rerank.History{1, 1, 2}}
	const want = "0540040000000000000000000000000007000000040000000200000023000302010574" +
		"6f74616c0101610000003f000000000000000000000000000000000000000001010201" +
		"0105746f74616c02000162000000000000000000000000000000000000000000000000" +
		"010101620000"
	if got := hex.EncodeToString(row.Marshal()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
