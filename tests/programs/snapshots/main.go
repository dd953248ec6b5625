// Command snapshots shows a program that writes its counters while it runs: for each line on stdin
// it does some work, calls runtime/coverage.WriteCountersDir on GOCOVERDIR and prints "ok" or the
// error. It exits at the end of stdin. Only -covermode=atomic allows such calls.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/coverage"
)

func work(line string) (vowels int) {
	for _, r := range line {
		switch r {
		case 'a', 'e', 'i', 'o', 'u':
			vowels++
		}
	}
	return vowels
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		work(lines.Text())
		if err := coverage.WriteCountersDir(os.Getenv("GOCOVERDIR")); err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Println("ok")
	}
}
