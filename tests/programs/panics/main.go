// Command panics shows a crash after some work: exit status 2, covmeta written, no counters.
package main

import "fmt"

func work(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		if i%3 == 0 {
			sum += i
		}
	}
	return sum
}

func main() {
	fmt.Println("worked:", work(100))
	panic("this program always panics")
}
