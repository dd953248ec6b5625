package main

//go:noinline
func hit(n int) int {
	return n + 1
}

func hits(times int) (n int) {
	for n < times {
		n = hit(n)
	}
	return n
}
