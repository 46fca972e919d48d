package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestKubernetesSettings has the program read the settings that the StatefulSet gives it.
func TestKubernetesSettings(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	for line := range strings.Lines(read(t, "../deploy/kubernetes/settings.env")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			t.Errorf("%q is no setting", line)
		}
		settings[name] = value
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"config"}, environment(settings), nil, &out, &errs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	for name := range settings {
		if !strings.Contains(out.String(), name+", now from: environment") {
			t.Errorf("%s is no setting", name)
		}
	}
	set := read(t, "../deploy/kubernetes/statefulset.yaml")
	_, port, _ := strings.Cut(settings["KILIM_HTTP"], ":")
	for _, want := range []string{"containerPort: " + port + "}", "mountPath: " + settings["KILIM_DATA"] + "}", "path: /-/healthy", "path: /-/ready"} {
		if !strings.Contains(set, want) {
			t.Errorf("no %q in the StatefulSet", want)
		}
	}
}
