// Command sleeper shows a program that waits and receives signals. It prints "ready" once its
// handlers are set and exits with -exit after -for, or at SIGTERM or SIGINT. With -print-signals it
// prints the name of each signal it gets and only the one named by -until, if any, ends it. -covmeta
// and -counters leave files of those sizes under coverage names in GOCOVERDIR, at the start and at the
// end; -linger is how long after the signal it ends.
package main

import (
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

var names = map[syscall.Signal]string{
	syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT",
	syscall.SIGILL: "SIGILL", syscall.SIGTRAP: "SIGTRAP", syscall.SIGABRT: "SIGABRT",
	syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE", syscall.SIGUSR1: "SIGUSR1",
	syscall.SIGSEGV: "SIGSEGV", syscall.SIGUSR2: "SIGUSR2", syscall.SIGPIPE: "SIGPIPE",
	syscall.SIGALRM: "SIGALRM", syscall.SIGTERM: "SIGTERM", syscall.SIGSTKFLT: "SIGSTKFLT",
	syscall.SIGCHLD: "SIGCHLD", syscall.SIGCONT: "SIGCONT", syscall.SIGTSTP: "SIGTSTP",
	syscall.SIGTTIN: "SIGTTIN", syscall.SIGTTOU: "SIGTTOU", syscall.SIGXCPU: "SIGXCPU",
	syscall.SIGXFSZ: "SIGXFSZ", syscall.SIGVTALRM: "SIGVTALRM", syscall.SIGPROF: "SIGPROF",
	syscall.SIGWINCH: "SIGWINCH", syscall.SIGIO: "SIGIO", syscall.SIGPWR: "SIGPWR",
	syscall.SIGSYS: "SIGSYS",
}

// name gives "SIGTERM", or "SIG40" for a realtime signal.
func name(s os.Signal) string {
	number := s.(syscall.Signal)
	if known, ok := names[number]; ok {
		return known
	}
	return "SIG" + strconv.Itoa(int(number))
}

// everything is each signal a Go handler can take, but SIGURG, which the runtime sends to itself. The
// runtime keeps 32 to 34 for the C library: a Go program dies of SIGRTMIN. It never passes SIGPROF on.
func everything() (all []os.Signal) {
	for s := syscall.Signal(1); s <= 64; s++ {
		switch s {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, 32, 33, 34:
		default:
			all = append(all, s)
		}
	}
	return all
}

// leave writes a file of that many random bytes.
func leave(name string, size int) {
	if size == 0 {
		return
	}
	content := make([]byte, size)
	rand.Read(content)
	path := filepath.Join(os.Getenv("GOCOVERDIR"), name)
	if os.WriteFile(path+".new", content, 0o644) != nil || os.Rename(path+".new", path) != nil {
		os.Exit(1)
	}
}

func main() {
	duration := flag.Duration("for", time.Minute, "how long to wait")
	code := flag.Int("exit", 0, "exit status")
	printing := flag.Bool("print-signals", false, "print each signal instead of ending")
	until := flag.String("until", "", "with -print-signals: the signal that ends the program")
	covmeta := flag.Int("covmeta", 0, "size of a file to leave at the start")
	counters := flag.Int("counters", 0, "size of a file to leave at the end")
	linger := flag.Duration("linger", 0, "time from the signal that ends the program to its end")
	flag.Parse()
	leave("covmeta.00000000000000000000000000000000", *covmeta)

	wanted := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	if *printing {
		wanted = everything()
	}
	signals := make(chan os.Signal, 4096)
	signal.Notify(signals, wanted...)
	over := time.After(*duration)
	fmt.Println("ready")
	for {
		select {
		case <-over:
			os.Exit(*code)
		case s := <-signals:
			if *printing {
				fmt.Println(name(s))
			}
			if !*printing || name(s) == *until {
				time.Sleep(*linger)
				leave("covcounters.00000000000000000000000000000000.1.1", *counters)
				os.Exit(*code)
			}
		}
	}
}
