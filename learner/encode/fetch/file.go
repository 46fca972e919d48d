package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"kilim/learner/encode/feature"
)

// root is a folder whose files may be read.
type root struct {
	path string // absolute, clean; symbolic links in it are not resolved
	dir  *os.Root
}

func openRoot(path string) (root, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return root{}, err
	}
	dir, err := os.OpenRoot(abs)
	return root{abs, dir}, err
}

// place is where the file of a file: URI may be: under a name in a root.
type place struct {
	in   root
	name string
}

// placesOf lists where the file of a file: URI may be. It does not look whether it is there.
func (f *Fetcher) placesOf(u *url.URL) ([]place, error) {
	if u.Host != "" && !strings.EqualFold(u.Host, "localhost") {
		return nil, forbidden("a file of another machine, %q", u.Host)
	}
	if u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, forbidden("want file:///path, with %%3F and %%23 for ? and #")
	}
	path := filepath.FromSlash(u.Path)
	if !filepath.IsAbs(path) || strings.ContainsRune(u.Path, 0) {
		return nil, forbidden("want file:///path")
	}
	if slices.Contains(strings.Split(u.Path, "/"), "..") {
		return nil, forbidden("has .. in its path")
	}
	path = filepath.Clean(path)
	var places []place
	for _, r := range f.roots {
		if name, err := filepath.Rel(r.path, path); err == nil && filepath.IsLocal(name) {
			places = append(places, place{r, name})
		}
	}
	if len(places) == 0 {
		return nil, forbidden("not below a folder of media.root")
	}
	return places, nil
}

// readFile reads the file of a file: URI, when it is below a root.
func (f *Fetcher) readFile(u *url.URL) ([]byte, error) {
	places, err := f.placesOf(u)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		data, err := f.readIn(p.in, p.name)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, feature.Refuse(feature.ReasonNotFound, "no such file")
}

func (f *Fetcher) readIn(r root, name string) ([]byte, error) {
	// Without O_NONBLOCK a named pipe would hold the caller until someone writes.
	file, err := r.dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) { // a file stands where a folder should
			return nil, fs.ErrNotExist
		}
		return nil, r.whyNot(name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, forbidden("not a regular file")
	}
	if info.Size() > f.cfg.MaxBytes {
		return nil, f.tooLarge()
	}
	return f.readAll(file)
}

// whyNot tells a way out of the root from a disk that fails: os has no name for the former's error.
func (r root) whyNot(name string, err error) error {
	var path *fs.PathError
	var number syscall.Errno
	switch {
	case errors.Is(err, syscall.ENAMETOOLONG):
		return forbidden("a name that is too long")
	case errors.As(err, &path) && !errors.As(path.Err, &number):
		return forbidden("leads out of %q: %v", r.path, path.Err)
	}
	return fmt.Errorf("reading in %q: %w", r.path, err)
}
