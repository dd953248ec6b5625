// Package p06 is one of the small packages of command many.
package p06

// Larger returns the larger one.
func Larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}
