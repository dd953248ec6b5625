// Command manifests holds the manifests of container/ against the types of the platforms' own
// libraries: every field must exist there, and every pod must meet the restricted pod security
// standard.
//
//	manifests check FILE…
//	manifests json FILE     prints each document as one line of JSON
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	run "google.golang.org/api/run/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// known has what each kind is decoded into, and where its pod is, if it has one.
var known = map[string]func() (any, func() *corev1.PodTemplateSpec){
	"apps/v1 Deployment": func() (any, func() *corev1.PodTemplateSpec) {
		d := new(appsv1.Deployment)
		return d, func() *corev1.PodTemplateSpec { return &d.Spec.Template }
	},
	"batch/v1 Job": func() (any, func() *corev1.PodTemplateSpec) {
		j := new(batchv1.Job)
		return j, func() *corev1.PodTemplateSpec { return &j.Spec.Template }
	},
	"serving.knative.dev/v1 Service": func() (any, func() *corev1.PodTemplateSpec) {
		return new(run.Service), nil
	},
	"run.googleapis.com/v1 Job": func() (any, func() *corev1.PodTemplateSpec) {
		return new(run.Job), nil
	},
}

func documents(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return bytes.Split(text, []byte("\n---\n")), nil
}

// decode refuses fields that the kind doesn't have, keys that come twice, and wrong types.
func decode(document []byte) (any, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return nil, err
	}
	kind := head.APIVersion + " " + head.Kind
	make, ok := known[kind]
	if !ok {
		return nil, fmt.Errorf("kind %q is not known", kind)
	}
	object, pod := make()
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return nil, err
	}
	if pod == nil {
		return object, nil
	}
	return object, restricted(pod())
}

func restricted(pod *corev1.PodTemplateSpec) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(
		evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
	if !result.Allowed {
		return fmt.Errorf("not restricted: %s", result.ForbiddenDetail())
	}
	return nil
}

func do(verb, file string) error {
	all, err := documents(file)
	if err != nil {
		return err
	}
	for _, document := range all {
		object, err := decode(document)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if verb == "check" {
			fmt.Println(file, "is well-formed")
			continue
		}
		line, err := json.Marshal(object)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

func main() {
	if len(os.Args) < 3 || (os.Args[1] != "check" && os.Args[1] != "json") {
		fmt.Fprintln(os.Stderr, "usage: manifests check|json FILE…")
		os.Exit(2)
	}
	failed := false
	for _, file := range os.Args[2:] {
		if err := do(os.Args[1], file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
