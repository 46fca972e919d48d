package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kilim/daemon/web"
	"kilim/learner/train/eval"
)

// TestPrintRanking: what is printed says in which order lists are, and what that rests on.
func TestPrintRanking(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := printRanking(&out, &web.Ranking{
		RankingStatus: web.RankingStatus{Serving: true, Reason: "it is better", Judgments: 120}, Phase: "fitting", Least: 25,
		Last: &web.RankingDecision{
			At: time.Date(2026, 11, 30, 12, 5, 0, 0, time.UTC), Epoch: 2, Generation: 3, Questions: 50, Groups: 48, Useful: 47, Artifacts: 15252, Serves: true,
			Gate: &web.RankingGate{Groups: 47, Stated: 0.78, Learned: 0.8125, Gain: eval.Interval{Mean: 0.0325, Low: 0.01, High: 0.05}, Level: 0.8, Margin: 0.005},
		},
	})
	want := `order      learned from judgments: it is better
judgments  120; it takes 25 groups of artifacts that are judged alike
decided    2026-11-30 12:05, on 50 judged artifacts in 48 groups, 47 of them with one among the candidates
for        epoch 2, generation 3, with 15252 artifacts
held out   nDCG@10 0.780 as stated, 0.812 as learned: +0.033 (+0.010..+0.050 at 80 %), in 47 groups
now        fitting
`
	if err != nil || out.String() != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, &out, want)
	}
}

// TestPrintTooFew: of too few judgments no archive was asked, and nothing is said of it.
func TestPrintTooFew(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := printRanking(&out, &web.Ranking{
		RankingStatus: web.RankingStatus{Reason: "too few", Judgments: 7}, Phase: "idle", Least: 25,
		Last: &web.RankingDecision{At: time.Date(2026, 11, 30, 12, 5, 0, 0, time.UTC), Epoch: 1, Generation: 1, Questions: 4, Groups: 3},
	})
	want := `order      as stated: too few
judgments  7; it takes 25 groups of artifacts that are judged alike
decided    2026-11-30 12:05, on 4 judged artifacts in 3 groups
`
	if err != nil || out.String() != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, &out, want)
	}
}

// TestRankCommand asks a daemon for which nobody has judged anything.
func TestRankCommand(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	code, stdout, stderr := kilim(t, "", "rank", "--http", s.http)
	if code != exitOK || !strings.Contains(stdout, "as stated: ") || !strings.Contains(stdout, "it takes 25 groups") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = kilim(t, "", "rank", "--json", "--http", s.http)
	if code != exitOK || !strings.HasPrefix(stdout, `{"serving":false`) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	s.stop(t)
}
