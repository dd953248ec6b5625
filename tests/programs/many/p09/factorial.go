// Package p09 is one of the small packages of command many.
package p09

// Factorial recurses.
func Factorial(a int) int {
	if a < 2 {
		return 1
	}
	return a * Factorial(a-1)
}
