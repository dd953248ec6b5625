// Package p02 is one of the small packages of command many.
package p02

// Sub returns a minus b, at least 0.
func Sub(a, b int) int {
	if b > a {
		return 0
	}
	return a - b
}
