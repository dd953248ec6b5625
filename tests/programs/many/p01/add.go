// Package p01 is one of the small packages of command many.
package p01

// Add returns a plus b, at most limit.
func Add(a, b, limit int) int {
	if a+b > limit {
		return limit
	}
	return a + b
}
