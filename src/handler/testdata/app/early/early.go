// Package early reads the commands. Its init comes after that of runtime/coverage, where an overlay
// puts the handler, and before main.init, which begins to count.
package early

import (
	"bufio"
	"fmt"
	"os"
	_ "runtime/coverage"
)

var Commands = bufio.NewScanner(os.Stdin)

func init() {
	if os.Getenv("APP_WAITS_IN_INIT") != "" {
		fmt.Println("in init")
		Commands.Scan()
	}
}
