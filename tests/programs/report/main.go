// Command report shows how a Go program was started: it prints one JSON object and exits with the
// number in REPORT_EXIT, or 0.
//
// The Go runtime has handlers for almost every signal before main runs; report_c tells what was there
// before. Descriptors that the runtime opened itself (its epoll and eventfd, the cgroup's CPU limit)
// are listed apart under "go_fds": an inherited epoll would be among them.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

type report struct {
	Args       []string          `json:"args_base64"`
	Env        []string          `json:"env"` // sorted
	Cwd        string            `json:"cwd"`
	Umask      string            `json:"umask"` // octal
	Fds        map[string]string `json:"fds"`   // number -> what /proc says it is
	GoFds      map[string]string `json:"go_fds"`
	Blocked    string            `json:"blocked"` // the masks as /proc writes them, 16 hex digits
	Ignored    string            `json:"ignored"`
	Caught     string            `json:"caught"`
	Pid        int               `json:"pid"`
	Ppid       int               `json:"ppid"`
	Pgid       int               `json:"pgid"`
	StdinTty   bool              `json:"stdin_tty"`
	Foreground int               `json:"foreground"` // the terminal's process group, 0 without one
}

func isGos(target string) bool {
	return target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]" ||
		strings.HasPrefix(target, "/sys/fs/cgroup/")
}

func (r *report) readFds() {
	r.Fds, r.GoFds = map[string]string{}, map[string]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		switch {
		case err != nil: // the folder that was just read: closed by now
		case isGos(target):
			r.GoFds[entry.Name()] = target
		default:
			r.Fds[entry.Name()] = target
		}
	}
}

func (r *report) readStatus() {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "SigBlk":
			r.Blocked = value
		case "SigIgn":
			r.Ignored = value
		case "SigCgt":
			r.Caught = value
		}
	}
}

func (r *report) readTerminal() {
	var group int32
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, 0, syscall.TIOCGPGRP,
		uintptr(unsafe.Pointer(&group)))
	r.StdinTty = failed == 0
	r.Foreground = int(group)
}

func main() {
	r := report{Pid: os.Getpid(), Ppid: os.Getppid(), Pgid: syscall.Getpgrp()}
	r.readFds()
	r.readStatus()
	r.readTerminal()
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	r.Umask = fmt.Sprintf("%03o", mask)
	for _, arg := range os.Args {
		r.Args = append(r.Args, base64.StdEncoding.EncodeToString([]byte(arg)))
	}
	r.Env = os.Environ()
	sort.Strings(r.Env)
	r.Cwd, _ = os.Getwd()

	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(r); err != nil {
		log.Fatal(err)
	}
	code, _ := strconv.Atoi(os.Getenv("REPORT_EXIT"))
	os.Exit(code)
}
