package graphstore

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// openBadger opens the database, also over empty log files: those of a process that died
// between the creation of a log file and its first byte. Badger (4.9) takes such a file for
// a new one that it did not mean to create and refuses it once; having refused it, it leaves
// it initialized. So openBadger asks again, as often as there were empty files. To remove
// them beforehand would be simpler, and wrong while another process, whose lock badger
// would respect, is creating one.
func openBadger(dir string, opts Options, poison func(error)) (*badger.DB, error) {
	for {
		empty, err := emptyLogs(dir)
		if err != nil {
			return nil, err
		}
		db, err := badger.Open(opts.badger(dir, &logger{log: opts.Logger, syncFailed: poison}))
		if err == nil || len(empty) == 0 {
			return db, err
		}
		left, scanErr := emptyLogs(dir)
		if scanErr != nil || len(left) >= len(empty) {
			return nil, err
		}
		opts.Logger.Info("a crash had left empty log files; they hold nothing, opening again", "files", empty)
	}
}

// emptyLogs names the log files of no bytes. A folder that is not there has none.
func emptyLogs(dir string) ([]string, error) {
	var empty []string
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", pattern, err)
		}
		for _, name := range files {
			info, err := os.Stat(name)
			if os.IsNotExist(err) {
				continue // its owner removed it meanwhile
			}
			if err != nil {
				return nil, err
			}
			if info.Size() == 0 {
				empty = append(empty, filepath.Base(name))
			}
		}
	}
	return empty, nil
}
