// Command family shows a program that runs copies of itself, each of which writes counters of its
// own: -n children that it waits for, and with -orphan one that outlives it by that duration.
//
// It prints "child I PID" and "orphan PID". Children and the orphan stay in its process group; the
// orphan has /dev/null as stdin, stdout and stderr, so a reader of the parent's output sees its end.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"time"
)

func child(number string) {
	n, err := strconv.Atoi(number)
	if err != nil {
		log.Fatal(err)
	}
	if n%2 == 0 {
		fmt.Println("even child", n)
	} else {
		fmt.Println("odd child", n)
	}
}

// orphan waits until its parent is gone and then as long again as it was told.
func orphan(duration, parent string) {
	d, err := time.ParseDuration(duration)
	if err != nil {
		log.Fatal(err)
	}
	for strconv.Itoa(os.Getppid()) == parent {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(d)
}

func start(visible bool, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	command := exec.Command(self, args...)
	if visible {
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
	}
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	return command
}

func main() {
	n := flag.Int("n", 2, "how many children to wait for")
	outlive := flag.Duration("orphan", 0, "leave one child that outlives its parent by that long")
	flag.Parse()
	switch flag.Arg(0) {
	case "child":
		child(flag.Arg(1))
		return
	case "orphan":
		orphan(flag.Arg(1), flag.Arg(2))
		return
	}

	if *outlive > 0 {
		c := start(false, "orphan", outlive.String(), strconv.Itoa(os.Getpid()))
		fmt.Println("orphan", c.Process.Pid)
	}
	var children []*exec.Cmd
	for i := 1; i <= *n; i++ {
		c := start(true, "child", strconv.Itoa(i))
		fmt.Println("child", i, c.Process.Pid)
		children = append(children, c)
	}
	for _, c := range children {
		if err := c.Wait(); err != nil {
			log.Fatal(err)
		}
	}
}
