// Package atomicfile replaces small files: whatever happens, a reader finds the old content or the new one.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrUnsure is wrapped when the new content is in place, and it is not known whether a crash would undo that.
var ErrUnsure = errors.New("it is not known whether the file would outlive a crash")

// suffix of a file that is not yet in place.
const suffix = ".new"

// Write replaces a file. It returns once the new content is on the disk. before is called before each step, with its name; an error of it
// ends the work as a crash at that moment would.
func Write(path string, data []byte, before func(step string) error) error {
	if err := write(path, data, before); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func write(path string, data []byte, before func(string) error) (err error) {
	if before == nil {
		before = func(string) error { return nil }
	}
	if err := before("file-write"); err != nil {
		return err
	}
	// The name is always the same: what a crash leaves is overwritten by the next.
	f, err := os.Create(path + suffix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := before("file-rename"); err != nil {
		return err
	}
	if err := os.Rename(path+suffix, path); err != nil {
		return err
	}
	if err := before("file-sync"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return nil
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
