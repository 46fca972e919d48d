package model

// Adopt returns weights of m that take the values of another model's weights for parameters of the same name, and lists
// as fresh the parameters that keep, in part or whole, the values of m's seed. A parameter with more rows than the
// other model's (more features, more relations) takes those rows first; a parameter of another width takes nothing. So
// a new modality or entity type joins a trained model.
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
