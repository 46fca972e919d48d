package facts

import "kilim/consumer/profile"

// Of are the numbers of an artifact's date and location.
func Of(a *profile.Artifact) []float32 {
	var begin, end, lat, lon *float64
	if d := a.Date; d != nil {
		begin, end = d.Begin, d.End
	}
	if l := a.Location; l != nil {
		lat, lon = &l.Lat, &l.Lon
	}
	out := make([]float32, Dim)
	Encode(begin, end, lat, lon, out)
	return out
}
