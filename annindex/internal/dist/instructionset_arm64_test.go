//go:build !purego

package dist

func (instructionSet) String() string { return "NEON" }
