//go:build !race

package graphstore

const underRaceDetector = false
