package config

import (
	"io"
	"log/slog"
)

// New returns a logger that writes to w. The settings must be valid.
func (l *Log) New(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: l.slogLevel()}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

func (l *Log) slogLevel() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
