//go:build linux && !race

package coverage

func integcovWatchMeta(string) func() bool { return func() bool { return true } }
