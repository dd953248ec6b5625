// Package p04 is one of the small packages of command many.
package p04

// Div divides by subtracting; by 0 it gives 0.
func Div(a, b int) int {
	if b == 0 {
		return 0
	}
	n := 0
	for a >= b {
		a -= b
		n++
	}
	return n
}
