// Package p03 is one of the small packages of command many.
package p03

// Mul multiplies by adding.
func Mul(a, b int) int {
	product := 0
	for i := 0; i < b; i++ {
		product += a
	}
	return product
}
