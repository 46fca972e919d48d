package topk

import (
	"bytes"
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
	f.Add(new(Row).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		got := Row{Revision: 99}
		if err := got.Unmarshal(b); err != nil {
			if got.Revision != 99 || got.Lists != nil || got.Pending != nil || got.History != nil {
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
