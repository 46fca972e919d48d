package model

// Adopt returns weights of m with the values that another model's weights have
// for the parameters of the same names, and lists those which keep, in part or
// whole, what m's seed gave them. A parameter that has more rows than the other's
// (more features, more relations) takes its first ones; one of another width
// takes nothing. So a new modality or entity type joins a trained model.
func (m *Model) Adopt(other *Weights) (w *Weights, fresh []string) {
	w = m.Init()
	for i, p := range m.layout.params {
		to := w.matrices[i]
		from, ok := other.Matrix(p.Name)
		if !ok || from.Cols != to.Cols {
			fresh = append(fresh, p.Name)
			continue
		}
		if copy(to.Data, from.Data) < len(to.Data) {
			fresh = append(fresh, p.Name)
		}
	}
	return w, fresh
}
