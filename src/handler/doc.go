// Package coverage lets go-integcov ask a running program, built with -cover
// -covermode=atomic, for a snapshot of its counters:
//
//	import _ "github.com/go-integcov/go-integcov/src/handler"
//
// On Linux, when GOCOVERDIR is set, it writes one counters file there for each SIGUSR1, or for
// the signal that INTEGCOV_FLUSH_SIGNAL names. Elsewhere it does nothing. README.md tells more.
//
// The package has the name of runtime/coverage since overlay.sh adds its files, except this one
// and runtime.go, to that package of the standard library.
package coverage
