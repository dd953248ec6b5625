// Command hello shows the ordinary program: it prints its arguments, one per line, and exits with
// the code in the first one (0 without arguments), so that coverage differs with the arguments.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func exitCode(args []string) int {
	if len(args) == 0 {
		return 0
	}
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return 64
	}
	return code
}

func describe(code int) string {
	switch {
	case code == 0:
		return "all is well"
	case code < 100:
		return "something went wrong"
	default:
		return "something went very wrong"
	}
}

func main() {
	args := os.Args[1:]
	for _, arg := range args {
		fmt.Println(arg)
	}
	code := exitCode(args)
	fmt.Println(describe(code))
	os.Exit(code)
}
