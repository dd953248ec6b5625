//go:build tools

// Package tools pins the programs that the integration tests run: go.mod names the versions,
// go.sum holds the hashes of their sources.
package tools

import _ "github.com/fsouza/fake-gcs-server"
