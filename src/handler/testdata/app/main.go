// app does what it reads, a command a line, and prints "done" after each.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"example.com/integcov/app/early"
)

func main() {
	fmt.Println("in main")
	for early.Commands.Scan() {
		word, argument, _ := strings.Cut(early.Commands.Text(), " ")
		switch word {
		case "hit":
			n, _ := strconv.Atoi(argument)
			for i := 0; i < n; i++ {
				hit()
			}
		case "exec":
			fmt.Println(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
		case "child": // takes over the commands until their end
			child := exec.Command("/proc/self/exe")
			child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := child.Start(); err != nil {
				panic(err)
			}
			fmt.Println("child", child.Process.Pid)
			if err := child.Wait(); err != nil {
				panic(err)
			}
			return
		case "stuck":
			fmt.Println("done")
			select {}
		}
		fmt.Println("done")
	}
}
