package watch

import (
	"log/slog"
	"sync"
)

// whenLogged is a logger that calls f at the first line.
func whenLogged(f func()) *slog.Logger {
	return slog.New(slog.NewTextHandler(&onceWriter{f: f}, nil))
}

type onceWriter struct {
	once sync.Once
	f    func()
}

func (w *onceWriter) Write(p []byte) (int, error) {
	w.once.Do(w.f)
	return len(p), nil
}
