package config

import "kilim/daemon/themes"

// Themes are what artifacts are alike in, each with a list of its own.
type Themes struct {
	Declare List `placeholder:"NAME=FIELD+FIELD" help:"Themes that are learned however few labels there are, each NAME or NAME=FIELD+FIELD: an artifact without labels of the theme then has the terms of the fields for labels, as in craft=technique+material. Others are learned when records have labels enough, and \"kilim theme add\" declares one while the daemon runs, also one with a comma in its name."`
	Weights List `placeholder:"NAME:WEIGHT" help:"What themes count in total where a list is asked for with weights=auto; without any it is what the gate says of each artifact: which themes apply to it, at most three, by their probabilities."`
	Least   int  `default:"50" min:"2" max:"100000000" help:"Artifacts that must have labels of a theme for it to be learned, unless it is declared."`
	Works   int  `default:"16000" min:"0" max:"100000" help:"Artifacts with labels that themes are learned from at most, and as many as memory.limit has room for, with 25 KiB each: of more, a sample. Bounds the time of it. 0 learns no theme."`
}

func (t *Themes) check() (faults []*Fault) {
	seen := map[string]bool{}
	for _, text := range t.Declare {
		d, err := themes.ParseDeclaration(text)
		switch {
		case err != nil:
			faults = append(faults, faultf("themes.declare", "%q: %v", text, err))
		case seen[d.Name]:
			faults = append(faults, faultf("themes.declare", "%q: theme %q is declared twice", text, d.Name))
		}
		seen[d.Name] = true
	}
	weighed := map[string]bool{}
	for _, text := range t.Weights {
		name, _, err := themes.ParseWeight(text)
		switch {
		case err != nil:
			faults = append(faults, faultf("themes.weights", "%v", err))
		case weighed[name]:
			faults = append(faults, faultf("themes.weights", "%q: theme %q is given twice", text, name))
		}
		weighed[name] = true
	}
	return faults
}
