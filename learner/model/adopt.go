package model

// Adopt writes over w, the weights of m, those of another model's parameters of the same name, but for the names that
// keep tells to leave. It returns as fresh the names of the parameters that have, in part or whole, the values that w
// had. A parameter with more rows than the other model's (more features, more relations) takes those rows first; a
// parameter of another width takes nothing. So a new modality or entity type joins a trained model.
func (m *Model) Adopt(w, other *Weights, keep func(name string) bool) (fresh []string) {
	for i, p := range m.layout.params {
		to := w.matrices[i]
		from, ok := other.Matrix(p.Name)
		if !ok || from.Cols != to.Cols || keep(p.Name) || copy(to.Data, from.Data) < len(to.Data) {
			fresh = append(fresh, p.Name)
		}
	}
	return fresh
}
