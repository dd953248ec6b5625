// Package p11 is one of the small packages of command many.
package p11

// Gcd is Euclid's.
func Gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
