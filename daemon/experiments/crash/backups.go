package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// mostBackups is how many copies are kept: each takes some 200 MB.
const mostBackups = 3

// backups are copies of a state folder, without the broker that is in it: topics don't go back with the state.
type backups struct {
	data string
	dirs []string
	made int
}

// notInBackup is the folder of the broker.
const notInBackup = "broker"

// add copies the folder, on which no daemon may work.
func (b *backups) add() error {
	b.made++
	dir := fmt.Sprintf("%s.backup.%d", b.data, b.made)
	if err := copyEntries(dir, b.data); err != nil {
		return err
	}
	b.dirs = append(b.dirs, dir)
	if len(b.dirs) <= mostBackups {
		return nil
	}
	oldest := b.dirs[0]
	b.dirs = b.dirs[1:]
	return os.RemoveAll(oldest)
}

// putBack makes the folder what one of the copies is.
func (b *backups) putBack(rng *rand.Rand) error {
	entries, err := os.ReadDir(b.data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != notInBackup {
			err = errors.Join(err, os.RemoveAll(filepath.Join(b.data, e.Name())))
		}
	}
	return errors.Join(err, copyEntries(b.data, b.dirs[rng.IntN(len(b.dirs))]))
}

// remove removes the copies.
func (b *backups) remove() (err error) {
	for _, dir := range b.dirs {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

func copyEntries(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case e.Name() == notInBackup:
		case e.IsDir():
			err = errors.Join(err, os.CopyFS(target, os.DirFS(source)))
		default:
			err = errors.Join(err, copyFile(target, source))
		}
	}
	return err
}

func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, 0o644))
}
