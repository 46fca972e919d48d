// Package atomicfile replaces files durably: Write by bytes, WriteFunc by what a function writes.
//
// The guarantee: at any moment, also after a kill or a power cut, a reader of the path finds the whole old content or the
// whole new one; and when Write or WriteFunc has returned nil, it finds the new one. It takes a temporary file beside the
// path, fsync, rename, and fsync of the folder: without the last, a power cut may undo the rename after it was reported.
// (google/renameio leaves that one out.)
//
// The temporary file always has the same name. So what a killed process leaves is overwritten by the next Write, and Clean
// finds it without guessing; a random name would need a search, which also finds the files of writers at work. The price is
// that a path may have one writer at a time, which its owner must see to.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUnsure is wrapped when the new content is in place, and it is not known whether a crash would undo that.
var ErrUnsure = errors.New("it is not known whether the file would outlive a crash")

// suffix of the temporary file. Kfake removes such files from its folders when it starts, which consumer/broker relies on.
const suffix = ".tmp"

// Write makes data the content of the file at path.
//
// before, unless nil, is called before each step, with its name: "file-write", "file-rename", "file-sync". Its error ends
// the work as a crash at that moment would, with what is on the disk left as it is. After any other error the temporary
// file is removed.
func Write(path string, data []byte, before func(step string) error) error {
	return replace(path, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	}, before)
}

// WriteFunc is Write with the content that write writes. Its writer is buffered.
func WriteFunc(path string, write func(io.Writer) error, before func(step string) error) error {
	return replace(path, func(f *os.File) error {
		w := bufio.NewWriterSize(f, 1<<20)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}, before)
}

func replace(path string, write func(*os.File) error, before func(string) error) error {
	if before == nil {
		before = func(string) error { return nil }
	}
	if err := place(path, write, before); err != nil {
		return fmt.Errorf("atomicfile: replace %s: %w", path, err)
	}
	err := before("file-sync")
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("atomicfile: replace %s: %w: %w", path, ErrUnsure, err)
	}
	return nil
}

// place puts the new content at path. After an error the old one is there.
func place(path string, write func(*os.File) error, before func(string) error) error {
	if err := before("file-write"); err != nil {
		return err
	}
	temporary := path + suffix
	if err := create(temporary, write); err != nil {
		return err
	}
	if err := before("file-rename"); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// create makes a file whose content is on the disk, or none.
func create(name string, write func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// Clean removes what a killed process left of a Write of path, if there is anything. The next Write overwrites it anyway:
// Clean is for large files, and for paths that may not be written again.
func Clean(path string) error {
	if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("atomicfile: clean up beside %s: %w", path, err)
	}
	return nil
}

// SyncDir makes the names in a folder durable, as they are after a file was created, renamed or removed.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
