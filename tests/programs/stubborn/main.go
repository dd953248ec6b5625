// Command stubborn shows a program that ignores SIGTERM and SIGINT for the duration in -for and
// returns normally when it is over. It prints "ready" once the signals are ignored.
package main

import (
	"flag"
	"fmt"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	duration := flag.Duration("for", 3*time.Second, "how long to go on")
	flag.Parse()
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("ready")
	time.Sleep(*duration)
	fmt.Println("done")
}
