package graphstore

import (
	"fmt"
	"testing"
)

// TestRedoStepsAreFew: a commit of three transactions' rows waits for the disk once for its log, and as often as its rows take
// transactions, not for each chunk.
func TestRedoStepsAreFew(t *testing.T) {
	t.Parallel()
	steps := map[string]int{}
	s, err := Open(t.TempDir(), Options{MemtableMB: 8, CacheMB: 1, SyncWrites: NoSync, BeforeWrite: func(step string) error {
		steps[step]++
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer checked(t, s)
	const rows, size = 60, 50 << 10
	transactions := rows*size/int(s.db.MaxBatchSize()) + 1
	commitAll(t, s, func(tx *Tx) error {
		for i := range rows {
			if err := tx.PutMeta(fmt.Sprint(i), make([]byte, size)); err != nil {
				return err
			}
		}
		return nil
	})
	if steps["redo-log"] != 1 || steps["redo-apply"] != transactions || transactions < 3 {
		t.Errorf("steps %v, want 1 of the redo log and %d that apply it", steps, transactions)
	}
}
