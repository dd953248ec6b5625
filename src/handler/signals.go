//go:build linux

package coverage

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

var integcovSignals = map[string]syscall.Signal{
	"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "ILL": syscall.SIGILL,
	"TRAP": syscall.SIGTRAP, "ABRT": syscall.SIGABRT, "IOT": syscall.SIGIOT, "BUS": syscall.SIGBUS,
	"FPE": syscall.SIGFPE, "KILL": syscall.SIGKILL, "USR1": syscall.SIGUSR1, "SEGV": syscall.SIGSEGV,
	"USR2": syscall.SIGUSR2, "PIPE": syscall.SIGPIPE, "ALRM": syscall.SIGALRM, "TERM": syscall.SIGTERM,
	"CHLD": syscall.SIGCHLD, "CLD": syscall.SIGCHLD, "CONT": syscall.SIGCONT, "STOP": syscall.SIGSTOP,
	"TSTP": syscall.SIGTSTP, "TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU, "URG": syscall.SIGURG,
	"XCPU": syscall.SIGXCPU, "XFSZ": syscall.SIGXFSZ, "PROF": syscall.SIGPROF, "VTALRM": syscall.SIGVTALRM,
	"IO": syscall.SIGIO, "WINCH": syscall.SIGWINCH, "POLL": syscall.SIGIO, "PWR": syscall.SIGPWR,
	"SYS": syscall.SIGSYS, "STKFLT": 16, // not on MIPS
}

// Of the C library; Go can't receive the first three of the kernel's, 32 to 34.
const integcovFirstRealtime, integcovLastRealtime = 34, 64

// integcovParseSignal reads a signal as go-integcov does: a name or a number; "" is SIGUSR1.
func integcovParseSignal(text string) (syscall.Signal, error) {
	if text == "" {
		return syscall.SIGUSR1, nil
	}
	found, ok := integcovFindSignal(text)
	if !ok {
		return 0, fmt.Errorf("INTEGCOV_FLUSH_SIGNAL: %q is not a signal; expected a name or number such as SIGUSR1, USR2 or 12", text)
	}
	switch found {
	case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, integcovFirstRealtime:
		return 0, fmt.Errorf("INTEGCOV_FLUSH_SIGNAL: a Go program can't take %q as a request; expected a name or number such as SIGUSR1, USR2 or 12", text)
	}
	return found, nil
}

func integcovFindSignal(text string) (syscall.Signal, bool) {
	if number, ok := integcovDigits(text); ok {
		for _, known := range integcovSignals {
			if int(known) == number {
				return known, true
			}
		}
		return syscall.Signal(number), number >= integcovFirstRealtime && number <= integcovLastRealtime
	}
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if known, ok := integcovSignals[name]; ok {
		return known, true
	}
	base, sign, rest := integcovFirstRealtime, 1, strings.TrimPrefix(name, "RTMIN")
	if rest == name {
		base, sign, rest = integcovLastRealtime, -1, strings.TrimPrefix(name, "RTMAX")
	}
	if rest == name {
		return 0, false
	}
	if rest == "" {
		return syscall.Signal(base), true
	}
	offset, ok := integcovDigits(rest[1:])
	if !ok || (rest[0] == '+') != (sign == 1) || (rest[0] == '-') != (sign == -1) ||
		offset > integcovLastRealtime-integcovFirstRealtime {
		return 0, false
	}
	return syscall.Signal(base + sign*offset), true
}

// integcovDigits takes digits alone, without a sign.
func integcovDigits(text string) (int, bool) {
	number, err := strconv.ParseUint(text, 10, 31)
	return int(number), err == nil
}
