//go:build linux

package coverage

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	integcovNotCover  = "the program was not built with -cover: rebuild with -cover -covermode=atomic"
	integcovNotAtomic = "the program's counters can't be read while it runs: rebuild with -covermode=atomic"
)

func init() {
	folder := os.Getenv("GOCOVERDIR")
	if folder == "" {
		return
	}
	folder, err := filepath.Abs(folder) // the program may change its directory
	if err != nil {
		return
	}
	h := &integcovHandler{folder: folder, pid: os.Getpid()}
	if h.signal, err = integcovParseSignal(os.Getenv("INTEGCOV_FLUSH_SIGNAL")); err != nil {
		h.refuse(err.Error())
		return
	}
	if !integcovCounts() {
		h.refuse(integcovNotCover)
		return
	}
	go h.run(integcovWatchMeta(folder))
}

// integcovCounts tells whether the program was built with -cover. It must be called from an init:
// main.init, which comes later, sets the counter mode, and without a mode ClearCounters clears
// nothing but says whether there are counters.
func integcovCounts() bool {
	if _, known := integcovAtomic(); known { // in a plugin that came late
		return true
	}
	err := ClearCounters()
	return err == nil || !strings.Contains(err.Error(), "not built with -cover")
}

type integcovHandler struct {
	folder string // GOCOVERDIR
	pid    int
	signal syscall.Signal
}

// run waits until main.init has begun to count, then answers signals. started is asked first.
func (h *integcovHandler) run(started func() bool) {
	pause := time.Millisecond
	atomic, known := false, false
	for {
		if started() {
			if atomic, known = integcovAtomic(); known {
				break
			}
		}
		time.Sleep(pause)
		if pause < time.Second {
			pause *= 2
		}
	}
	if !atomic {
		h.refuse(integcovNotAtomic)
		return
	}
	requests := make(chan os.Signal, 1) // a request during a snapshot asks for one more, no matter how often
	signal.Notify(requests, h.signal)
	h.remove("error")
	h.write("ready", fmt.Sprintf("1\n%d\n%s\n", int(h.signal), integcovImage()))
	failed := false
	for range requests {
		if err := h.snapshot(); err != nil {
			failed = true
			h.writeError("no snapshot: " + strings.TrimSpace(strings.ReplaceAll(err.Error(), "\n", " ")))
		} else if failed {
			failed = false
			h.remove("error")
		}
	}
}

// snapshot tries more than once: a function that runs for the first time in this moment has written
// half of its counters' header, at which the runtime may panic (golang/go#58936).
func (h *integcovHandler) snapshot() (err error) {
	for tries := 0; tries < 3; tries++ {
		if err = h.try(); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return err
}

func (h *integcovHandler) try() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the runtime panicked: %v", p)
		}
	}()
	return WriteCountersDir(h.folder)
}

func (h *integcovHandler) refuse(sentence string) {
	h.remove("ready")
	h.writeError(sentence)
}

func (h *integcovHandler) writeError(sentence string) {
	h.write("error", sentence+"\n"+integcovImage()+"\n")
}

func (h *integcovHandler) path(kind string) string {
	return filepath.Join(h.folder, ".integcov", fmt.Sprintf("%s.%d", kind, h.pid))
}

func (h *integcovHandler) remove(kind string) { _ = os.Remove(h.path(kind)) }

// write makes a file appear whole or not at all. A folder that can't be written to is go-integcov's
// to tell of, not the program's.
func (h *integcovHandler) write(kind, content string) {
	path := h.path(kind)
	_ = os.Mkdir(filepath.Dir(path), 0o700)
	file, err := os.CreateTemp(filepath.Dir(path), "tmp."+kind+".*")
	if err != nil {
		return
	}
	_, err = file.WriteString(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
}

// integcovImage is another after each exec: the CRC-32C of the auxiliary vector, which has random
// addresses; "-" if there is none to read.
func integcovImage() string {
	vector, err := os.ReadFile("/proc/self/auxv")
	if err != nil || len(vector) == 0 {
		return "-"
	}
	return fmt.Sprintf("%08x", crc32.Checksum(vector, crc32.MakeTable(crc32.Castagnoli)))
}

// integcovAtomic tells the counter mode; it is not known before main.init, nor may a part of it be.
func integcovAtomic() (atomic, known bool) {
	var head integcovHead
	_ = WriteMeta(&head)
	const mode, atomicMode = 48, 3 // the byte of covmeta and its value
	if len(head) <= mode || head[mode] == 0 {
		return false, false
	}
	return head[mode] == atomicMode, true
}

// integcovHead keeps what is written first and refuses the rest.
type integcovHead []byte

func (h *integcovHead) Write(b []byte) (int, error) {
	*h = append(*h, b...)
	if len(*h) < 64 {
		return len(b), nil
	}
	return 0, errors.New("that is enough")
}
