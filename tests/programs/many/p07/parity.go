// Package p07 is one of the small packages of command many.
package p07

// Parity names it.
func Parity(a int) string {
	if a%2 == 0 {
		return "even"
	}
	return "odd"
}
