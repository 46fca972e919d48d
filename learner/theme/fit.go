package theme

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kilim/learner/tensor/par"
)

// ErrNoTerms is returned where nothing can be learned.
var ErrNoTerms = fmt.Errorf("theme: no term is the label of %d works", enough)

// Fit makes a Model of what labels the Works of the Basis have, by their ids. A Work that isn't among labels has none.
//
// Terms which the same Works had when from was fitted on the same Basis are taken over from it; from may be nil. Only what differs
// is solved: a label that came costs a term, a new theme its terms. The Model is the same to the bit as without from.
//
// When ctx ends, Fit returns its error within the time that abreast terms take.
func (b *Basis) Fit(ctx context.Context, labels map[string]Labels, from *Model) (*Model, error) {
	v := b.newVocabulary(labels)
	if len(v.terms) == 0 {
		return nil, ErrNoTerms
	}
	m := newModel(b.space, b.byFeature, v)
	columns, open, unbalanced := b.takeOver(m, from)
	if err := errors.Join(b.solveAll(ctx, m, open, columns), b.balance(ctx, m, unbalanced)); err != nil {
		return nil, err
	}
	m.weights = matrixOf(b.space.len(), columns).transposed()
	return m, nil
}

// takeOver returns the weights of the terms and themes which from has solved already, the numbers of the others, and which themes among these are to be
// balanced.
func (b *Basis) takeOver(m, from *Model) (columns []vector, open, unbalanced []int) {
	columns = make([]vector, len(m.terms)+len(m.spans))
	var solved *matrix
	if from != nil && from.byFeature == b.byFeature {
		solved = from.weights.transposed()
	}
	for _, s := range m.spans {
		for t := s.from; t < s.to; t++ {
			if len(m.works[t]) < enough {
				continue
			}
			if solved != nil {
				if old, ok := from.number(s.theme, m.terms[t]); ok && slices.Equal(from.works[old], m.works[t]) {
					columns[t] = solved.vector(old)
					continue
				}
			}
			open = append(open, int(t))
		}
	}
	for i, s := range m.spans {
		if solved != nil {
			if old, ok := from.find(s.theme); ok && slices.Equal(from.gates[old].works, m.gates[i].works) {
				columns[len(m.terms)+i], m.gates[i].least = solved.vector(len(from.terms)+old), from.gates[old].least
				continue
			}
		}
		open, unbalanced = append(open, len(m.terms)+i), append(unbalanced, i)
	}
	return columns, open, unbalanced
}

// right is the right side of a term, or of a theme behind them, by its number.
func (m *Model) right(number int) right {
	if theme := number - len(m.terms); theme >= 0 {
		return right{works: m.gates[theme].works, prior: m.gates[theme].share}
	}
	return right{works: m.works[number], prior: m.prior[number]}
}

// solveAll computes the weights of the terms and themes of the numbers in open.
func (b *Basis) solveAll(ctx context.Context, m *Model, open []int, columns []vector) error {
	pool, err := par.New(b.cfg.Threads)
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	defer pool.Close()
	blocks := (len(open) + abreast - 1) / abreast
	t := &solveTask{ctx: ctx, system: b.system(pool), solved: b.cfg.Solved, model: m, open: open, columns: columns, spaces: make([]*workspace, pool.Size()), faults: make([]error, blocks)}
	pool.Caller().Run(t, blocks)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("theme: the fit was ended: %w", err)
	}
	return errors.Join(t.faults...)
}

// solveTask solves abreast terms in each part.
type solveTask struct {
	ctx context.Context
	*system
	solved  func(terms, of int, took time.Duration)
	model   *Model
	open    []int
	columns []vector
	spaces  []*workspace // by worker
	faults  []error      // by part
}

func (t *solveTask) Part(part int, worker *par.Worker) {
	if t.faults[part] = t.ctx.Err(); t.faults[part] != nil {
		return
	}
	if t.spaces[worker.Index()] == nil {
		t.spaces[worker.Index()] = t.workspace()
	}
	start := time.Now()
	own := t.open[part*abreast : min((part+1)*abreast, len(t.open))]
	terms := make([]right, len(own))
	for c, term := range own {
		terms[c] = t.model.right(term)
	}
	weights, err := t.solve(worker, t.spaces[worker.Index()], terms)
	if err != nil {
		t.faults[part] = err
		return
	}
	for c, term := range own {
		t.columns[term] = telling(weights, c)
	}
	if t.solved != nil {
		t.solved(len(own), len(t.open), time.Since(start))
	}
}

// slight is the weight that is dropped: together those below it change a probability by less than labels can tell. widestTerm is how
// many weights a term keeps at most, the largest.
const (
	slight     = 0.01
	widestTerm = 16384
)

// telling are the weights of a column that are kept (Babbar and Schölkopf, "DiSMEC", WSDM 2017, section 3: nearly all weights of a
// linear model of many labels are about 0, and without them it ranks as well).
func telling(weights []float32, column int) vector {
	var out vector
	for f := 0; f*abreast < len(weights); f++ {
		if w := weights[f*abreast+column]; w >= slight || w <= -slight {
			out = append(out, coordinate{int32(f), w})
		}
	}
	return out.largest(widestTerm)
}
