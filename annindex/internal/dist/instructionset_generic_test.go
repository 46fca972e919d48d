//go:build purego || !(amd64 || arm64)

package dist

func (instructionSet) String() string { return "Go" }
