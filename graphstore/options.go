package graphstore

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// SyncMode says when a write is on the disk.
type SyncMode uint8

const (
	// SyncEach flushes every commit and acknowledgement to the disk before it
	// returns. It is the default.
	SyncEach SyncMode = iota
	// NoSync leaves flushing to the operating system: a killed process loses
	// nothing, a power cut may lose the last commits. For tests.
	NoSync
)

// Options are how a store is opened. The zero value is usable.
type Options struct {
	// CacheMB bounds the decoded nodes and neighbourhoods kept in memory, in MiB; 0 means 128.
	CacheMB int
	// TableCacheMB bounds badger's indexes and filters of its tables that are kept in memory, in MiB; 0 means 64.
	TableCacheMB int
	// MemtableMB is the size of badger's memtables, in MiB; 0 means 64. A commit of
	// up to 15 % of it is written once; a larger one goes through the redo log
	// and is written twice.
	MemtableMB int
	SyncWrites SyncMode
	// BeforeWrite, when set, is called before every step that writes, with the
	// step's name. An error makes the store fail as a crash at that moment would.
	BeforeWrite func(step string) error
	// Wrote, when set, is told each row that a step has written or removed: its kind, as in keys.go, and what it takes.
	Wrote func(kind byte, bytes int)
	// FreeSpace returns the bytes that can still be written to the disk of a folder; nil asks the file system.
	FreeSpace func(dir string) (int64, error)
	// MaintainInterval is the time between two looks of Maintain at the value log; 0 means 5 minutes.
	MaintainInterval time.Duration
	// UUID is the identity of a folder that is new, empty for a random one; one that is not new keeps its own.
	UUID string
	// Logger gets the store's and badger's messages; nil discards them.
	Logger *slog.Logger
	// Now is the clock that stamps outbox messages; nil means time.Now.
	Now func() time.Time

	// valueLogMB is the size of value log files; tests make it smaller. It bounds a row (see MaxRow) and is part of
	// the margin on the disk. Files of 64 MiB are small enough that the collector finds whole ones to drop.
	valueLogMB int
	// patience is how long Maintain compacts before it holds up writers.
	patience time.Duration
	// ackWait is the constant, except in tests.
	ackWait time.Duration
	// roomPoll is the time between two looks of WaitRoom at the disk.
	roomPoll time.Duration
}

func (o *Options) setDefaults() error {
	for _, f := range []struct {
		name  string
		value *int
		def   int
		most  int
	}{
		{"CacheMB", &o.CacheMB, 128, mostCacheMB}, {"TableCacheMB", &o.TableCacheMB, 64, mostCacheMB}, {"MemtableMB", &o.MemtableMB, 64, 1024}, {"valueLogMB", &o.valueLogMB, 64, 1024},
	} {
		if *f.value == 0 {
			*f.value = f.def
		}
		if *f.value < 1 || *f.value > f.most {
			return fmt.Errorf("%s %d: want 1 to %d", f.name, *f.value, f.most)
		}
	}
	if o.MaintainInterval == 0 {
		o.MaintainInterval = 5 * time.Minute
	}
	if o.MaintainInterval < 0 {
		return fmt.Errorf("MaintainInterval %v: must not be negative", o.MaintainInterval)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FreeSpace == nil {
		o.FreeSpace = freeSpace
	}
	if o.patience == 0 {
		o.patience = 30 * time.Second
	}
	if o.ackWait == 0 {
		o.ackWait = ackWait
	}
	if o.roomPoll == 0 {
		o.roomPoll = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

const (
	mib = 1 << 20
	// mostCacheMB is a terabyte: it tells a size in bytes from one in MiB.
	mostCacheMB = 1 << 20
	// valueThreshold is the size from which a value goes to the value log:
	// above every row that is read often (a node's vectors take a few KiB),
	// below media that came inline.
	valueThreshold = 64 << 10
	// blockSize is the size of a block of badger's tables, above that of most rows. What makes a table has each block in memory at
	// its full size, and once more at twice that when a row exceeds it: with badger's 4 KiB, when a node's rows take a few, a table in the
	// making took a multiple of its size. Tables are read where they are mapped: no block is
	// copied, and a row is found in a larger one by some steps more of a binary search.
	blockSize = 32 << 10
)

// badger returns the settings of the database in dir.
func (o *Options) badger(dir string, log badger.Logger) badger.Options {
	memtable := int64(o.MemtableMB) * mib
	return badger.DefaultOptions(dir).
		WithSyncWrites(o.SyncWrites == SyncEach).
		WithMemTableSize(memtable).
		WithNumMemtables(memtables).
		WithNumLevelZeroTablesStall(levelZeroTables).
		WithNumCompactors(2).
		// Tables that are not compressed are read where they are mapped, and Store.nodes caches decoded nodes: a cache of
		// blocks would save nothing. Badger also charges a block with all that follows it in its file, so that 64 MiB held some
		// 30 blocks.
		WithBlockCacheSize(0).
		WithBlockSize(blockSize).
		WithIndexCacheSize(int64(o.TableCacheMB) * mib).
		// Badger keeps the memory in which it compresses tables, several hundred MiB while an archive is fed. A folder
		// without compression is less than a fifth larger, as most of it is vectors.
		WithCompression(options.None).
		// Badger refuses a threshold above 15 % of the memtable.
		WithValueThreshold(min(valueThreshold, memtable/10)).
		WithValueLogFileSize(int64(o.valueLogMB) * mib).
		WithVerifyValueChecksum(true).
		// There is one Tx at a time, and who writes acknowledgements holds Store.writer too.
		WithDetectConflicts(false).
		WithLogger(log)
}
