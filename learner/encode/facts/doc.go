// Package facts turns when and where an artifact was made into numbers that a
// linear layer can use: near dates and near places have near numbers.
//
// The Dim numbers, each in -1..1:
//
//	0  1 when the artifact has a date, else 0, and then 1..3 are 0 too
//	1  the middle year / 4000
//	2  ln(1 + span in years) / ln(1 + 10000)
//	3  ln(1 + |2000 - middle| / 50) / ln(1 + 2000), negative after 2000
//	4  1 when the artifact has a place, else 0, and then 5..7 are 0 too
//	5  cos(lat) cos(lon)
//	6  cos(lat) sin(lon)
//	7  sin(lat)
//
// The middle year is there twice because archives hold both a flint axe and
// last year's poster: 1 is even over recorded history, and 3 tells decades apart
// near the present and millennia apart far from it. 5..7 is the place on the unit
// sphere (lat and lon in degrees), which has no seam at the 180th meridian.
//
// Package facts has no types: Encode writes the numbers of a date and a place, Of those of an artifact. It must not know
// what a model makes of them.
package facts
