//go:build linux

package coverage

import "runtime/coverage"

// What the other files find at their side when they are built into runtime/coverage itself.
var (
	ClearCounters    = coverage.ClearCounters
	WriteCountersDir = coverage.WriteCountersDir
	WriteMeta        = coverage.WriteMeta
)
