// Package p08 is one of the small packages of command many.
package p08

// Digits counts them.
func Digits(a int) int {
	n := 1
	for a >= 10 {
		a /= 10
		n++
	}
	return n
}
