// Command counts shows a busy program: -goroutines call a function -times times each, all at the
// same time. It prints "done" and ends with stdin.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
)

//go:noinline
func tick(n int) int {
	return n + 1
}

func count(times int) (n int) {
	for n < times {
		n = tick(n)
	}
	return n
}

func main() {
	goroutines := flag.Int("goroutines", 1, "how many count at the same time")
	times := flag.Int("times", 30_000_000, "how often each calls the function")
	flag.Parse()

	var all sync.WaitGroup
	for i := 0; i < *goroutines; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			count(*times)
		}()
	}
	all.Wait()
	fmt.Println("done")
	io.Copy(io.Discard, os.Stdin)
}
