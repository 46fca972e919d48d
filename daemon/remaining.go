package main

import (
	"io"

	"github.com/schollz/progressbar/v3"

	"kilim/daemon/web"
)

// remaining shows on a terminal how much of what a daemon has to do is done. Work sets off work, so the bar may go back.
type remaining struct {
	bar  *progressbar.ProgressBar // nil: not a terminal
	most int64
}

func newRemaining(w io.Writer) *remaining {
	return &remaining{bar: newBar(w, 1)}
}

func (r *remaining) show(s *web.Status) {
	if r.bar == nil {
		return
	}
	left := s.Lag + int64(expected(s)+s.RefreshQueue+s.Outbox)
	r.most = max(r.most, left, 1)
	r.bar.Describe(describe(s))
	r.bar.ChangeMax64(r.most)
	_ = r.bar.Set64(min(r.most-left, r.most-1)) // a bar that can't be drawn is no reason to stop
}

func (r *remaining) end() {
	if r.bar != nil {
		_ = r.bar.Clear()
	}
}
