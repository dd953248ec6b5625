// Package p05 is one of the small packages of command many.
package p05

// Sign returns -1, 0 or 1.
func Sign(a int) int {
	switch {
	case a < 0:
		return -1
	case a > 0:
		return 1
	}
	return 0
}
