//go:build linux

package coverage

import (
	"strings"
	"syscall"
	"testing"
)

func TestSignalsAreReadAsGoIntegcovReadsThem(t *testing.T) {
	for text, expected := range map[string]syscall.Signal{
		"": 10, "SIGUSR1": 10, "USR1": 10, "usr1": 10, "SigUsr2": 12, "10": 10, "012": 12, "SIGIO": 29,
		"POLL": 29, "IOT": 6, "STKFLT": 16, "TERM": 15, "WINCH": 28, "35": 35, "64": 64, "RTMIN+1": 35,
		"SIGRTMIN+30": 64, "rtmax": 64, "SIGRTMAX-29": 35,
	} {
		if got, err := integcovParseSignal(text); err != nil || got != expected {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for text, part := range map[string]string{
		"0": "is not a signal", "32": "is not a signal", "65": "is not a signal", "-1": "is not a signal",
		"+10": "is not a signal", "99999999999": "is not a signal", "USR3": "is not a signal",
		" USR1": "is not a signal", "SIGSIGUSR1": "is not a signal", "SIG": "is not a signal",
		"RTMIN-1": "is not a signal", "RTMAX+1": "is not a signal", "RTMIN+31": "is not a signal",
		"RTMIN+": "is not a signal", "KILL": "can't take", "STOP": "can't take", "CHLD": "can't take",
		"17": "can't take", "URG": "can't take", "RTMIN": "can't take", "34": "can't take",
	} {
		if got, err := integcovParseSignal(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
