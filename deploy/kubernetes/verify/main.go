// Command verify reads the objects of Kubernetes that kustomize prints, and fails for a field that their types do not have, a
// value of another type, and a reference to what is not there:
//
//	kubectl kustomize deploy/kubernetes | (cd deploy/kubernetes/verify && go run .)
//
// It decodes strictly into Kubernetes' and Prometheus Operator's own Go types, at the versions of go.mod, and stands in for
// kubeconform, whose schemas come from the network. What a cluster's admission adds (quotas, policies) it does not know. It is a
// module of its own: kilim needs none of these types.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

func main() {
	found, err := verify(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
	fmt.Printf("verify: %d objects are of their types: %v\n", len(found), found)
}

// wanted are the kinds of which there must be one.
var wanted = []string{"Namespace", "ConfigMap", "Service", "StatefulSet", "NetworkPolicy", "PodMonitor"}

func verify(in io.Reader) (found []string, err error) {
	var set apps.StatefulSet
	var service core.Service
	var monitor monitoring.PodMonitor
	var settings core.ConfigMap
	var policy networking.NetworkPolicy
	docs := yaml.NewYAMLReader(bufio.NewReader(in))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var kind meta.TypeMeta
		if err := strict.Unmarshal(doc, &kind); err != nil {
			return nil, err
		}
		into, known := map[string]any{
			"v1 Namespace": &core.Namespace{}, "v1 ConfigMap": &settings, "v1 Service": &service, "apps/v1 StatefulSet": &set,
			"networking.k8s.io/v1 NetworkPolicy": &policy, "monitoring.coreos.com/v1 PodMonitor": &monitor,
		}[kind.APIVersion+" "+kind.Kind]
		if !known {
			return nil, fmt.Errorf("%s %s: no type of it is known here", kind.APIVersion, kind.Kind)
		}
		if err := strict.UnmarshalStrict(doc, into); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
		found = append(found, kind.Kind)
	}
	for _, kind := range wanted {
		if !slices.Contains(found, kind) {
			return nil, fmt.Errorf("no %s", kind)
		}
	}
	return found, references(&set, &service, &monitor, &settings, &policy)
}

// references holds the names that one object has of another's parts.
func references(set *apps.StatefulSet, service *core.Service, monitor *monitoring.PodMonitor, settings *core.ConfigMap, policy *networking.NetworkPolicy) error {
	var wrong []error
	if len(set.Spec.Template.Spec.Containers) != 1 {
		return fmt.Errorf("%d containers", len(set.Spec.Template.Spec.Containers))
	}
	c := set.Spec.Template.Spec.Containers[0]
	port := func(of, name string) {
		if !slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.Name == name }) {
			wrong = append(wrong, fmt.Errorf("%s names port %q, which the container does not have", of, name))
		}
	}
	for name, probe := range map[string]*core.Probe{"startupProbe": c.StartupProbe, "livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil {
			wrong = append(wrong, fmt.Errorf("no %s over HTTP", name))
			continue
		}
		port(name, probe.HTTPGet.Port.String())
	}
	for _, p := range service.Spec.Ports {
		port("the Service", p.TargetPort.String())
	}
	for _, e := range monitor.Spec.PodMetricsEndpoints {
		if e.Port != nil {
			port("the PodMonitor", *e.Port)
		}
	}
	for _, rule := range policy.Spec.Ingress {
		for _, p := range rule.Ports {
			port("the NetworkPolicy", p.Port.String())
		}
	}
	if len(c.EnvFrom) != 1 || c.EnvFrom[0].ConfigMapRef == nil || c.EnvFrom[0].ConfigMapRef.Name != settings.Name {
		wrong = append(wrong, fmt.Errorf("the container's settings are not those of ConfigMap %s", settings.Name))
	}
	if set.Spec.Replicas == nil || *set.Spec.Replicas != 1 {
		wrong = append(wrong, errors.New("an instance owns the whole state: replicas must be 1"))
	}
	if set.Spec.ServiceName != service.Name {
		wrong = append(wrong, fmt.Errorf("the StatefulSet's service %q is not %q", set.Spec.ServiceName, service.Name))
	}
	for name, want := range map[string]map[string]string{"the Service": service.Spec.Selector, "the PodMonitor": monitor.Spec.Selector.MatchLabels, "the NetworkPolicy": policy.Spec.PodSelector.MatchLabels} {
		for key, value := range want {
			if set.Spec.Template.Labels[key] != value {
				wrong = append(wrong, fmt.Errorf("%s chooses %s=%s, which the pod is not", name, key, value))
			}
		}
		if len(want) == 0 {
			wrong = append(wrong, fmt.Errorf("%s chooses every pod of the namespace", name))
		}
	}
	return errors.Join(wrong...)
}
