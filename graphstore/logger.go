package graphstore

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger routes badger's messages to slog. Notices go one level lower than badger
// gives them: those of its compactions would fill the log.
type logger struct {
	log *slog.Logger
	// syncFailed is called when badger reports, by a message only, that the
	// value log could not be flushed.
	syncFailed func(error)
}

func (l *logger) Errorf(format string, args ...any) {
	msg := line(format, args)
	// valueLog.write logs a failed fsync and goes on as if the values were
	// safe; they may not be.
	if strings.Contains(msg, "Error while curlf sync") {
		l.syncFailed(fmt.Errorf("value log: %s", msg))
	}
	l.log.Error("badger: " + msg)
}
func (l *logger) Warningf(format string, args ...any) { l.log.Warn("badger: " + line(format, args)) }
func (l *logger) Infof(format string, args ...any)    { l.log.Debug("badger: " + line(format, args)) }

// Debugf drops what badger says many times a second.
func (l *logger) Debugf(string, ...any) {}

func line(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
