// Package p10 is one of the small packages of command many.
package p10

// Collatz counts the steps down to 1.
func Collatz(a int) int {
	steps := 0
	for a > 1 {
		if a%2 == 0 {
			a /= 2
		} else {
			a = 3*a + 1
		}
		steps++
	}
	return steps
}
