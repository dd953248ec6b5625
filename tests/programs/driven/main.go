// Command driven shows a long-running program that does what each line on stdin says:
//
//	hit N    calls a function N times
//	signals  prints how often SIGUSR1 came
//	write    writes its counters, which only -covermode=atomic allows
//	clear    clears them, likewise
//	exec     becomes a new image of itself, with the same arguments
//	quit     ends well
//	panic    crashes
//
// After each but the last two it prints "done"; at the end of stdin it returns from main. A process
// prints "pid PID" at its start. With -ignore it ignores SIGTERM; with -hit it hits that often
// first; with -deaf it doesn't count signals, so that none of its counters moves while it waits;
// with -undumpable only root may look into its memory.
//
// Built with -tags=handler it has the snapshot handler.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime/coverage"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var signals atomic.Int64

func countSignals() {
	came := make(chan os.Signal, 1024)
	signal.Notify(came, syscall.SIGUSR1)
	go func() {
		for range came {
			signals.Add(1)
		}
	}()
}

func do(word, argument string) {
	switch word {
	case "hit":
		times, err := strconv.Atoi(argument)
		if err != nil {
			log.Fatal(err)
		}
		hits(times)
	case "write":
		if err := coverage.WriteCountersDir(os.Getenv("GOCOVERDIR")); err != nil {
			log.Fatal(err)
		}
	case "clear":
		if err := coverage.ClearCounters(); err != nil {
			log.Fatal(err)
		}
	case "signals":
		fmt.Println("signals", signals.Load())
	case "exec":
		self, err := os.Executable()
		if err == nil {
			err = syscall.Exec(self, os.Args, os.Environ())
		}
		log.Fatal(err)
	case "quit":
		os.Exit(0)
	case "panic":
		panic("as told")
	default:
		log.Fatalf("unknown word %q", word)
	}
}

func main() {
	ignore := flag.Bool("ignore", false, "ignore SIGTERM")
	first := flag.Int("hit", 0, "how often to hit first")
	deaf := flag.Bool("deaf", false, "don't count signals")
	undumpable := flag.Bool("undumpable", false, "let nobody look into its memory")
	flag.Parse()
	if *undumpable {
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
	}
	if *ignore {
		signal.Ignore(syscall.SIGTERM)
	}
	if !*deaf {
		countSignals()
	}
	hits(*first)
	fmt.Println("pid", os.Getpid())

	// Byte by byte, so that a new image finds the rest of the lines.
	lines := bufio.NewScanner(oneByOne{})
	for lines.Scan() {
		word, argument, _ := strings.Cut(lines.Text(), " ")
		do(word, argument)
		fmt.Println("done")
	}
}

type oneByOne struct{}

func (oneByOne) Read(b []byte) (int, error) { return os.Stdin.Read(b[:1]) }
