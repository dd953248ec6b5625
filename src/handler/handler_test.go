//go:build linux

package coverage

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var atomically = []string{"-cover", "-covermode=atomic"}

// exact checks three snapshots of a running program and the file of its exit.
func exact(t *testing.T, c toolchain, binary string) {
	t.Helper()
	a := start(t, binary, t.TempDir())
	a.expect("in main")
	image := a.ready(a.pid(), syscall.SIGUSR1)
	vector, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", a.pid()))
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%08x", crc32.Checksum(vector, crc32.MakeTable(crc32.Castagnoli))); sum != image {
		t.Fatalf("image %s, not %s", image, sum)
	}
	for round := 1; round <= 3; round++ {
		a.do("hit 100000", "done")
		if got := hits(t, c, a.snapshot(a.pid(), syscall.SIGUSR1)); got != round*100000 {
			t.Fatalf("round %d: %d hits", round, got)
		}
	}
	a.do("hit 5", "done")
	a.endWell()
	if got := hits(t, c, newest(a.folder, a.pid(), 0)); got != 300005 {
		t.Fatalf("at the end: %d hits", got)
	}
}

// isError tells whether an error file says that, in its first line, of the image in its second.
func isError(content, sentence string) bool {
	first, image, _ := strings.Cut(content, "\n")
	return first == sentence && len(image) == len("01234567\n") && strings.HasSuffix(image, "\n")
}

// refused checks that a program without counters that could be read says so, and is untouched.
func refused(t *testing.T, binary, sentence string) {
	t.Helper()
	a := start(t, binary, t.TempDir())
	a.expect("in main")
	if got := awaitFile(t, a.control("error", a.pid())); !isError(got, sentence) {
		t.Fatalf("error file: %q", got)
	}
	if err := syscall.Kill(a.pid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	a.do("hit 5", "done")
	if newest(a.folder, a.pid(), 0) != "" {
		t.Fatal("there is a snapshot")
	}
	if _, err := os.Stat(a.control("ready", a.pid())); err == nil {
		t.Fatal("there is a ready file")
	}
	deadlocks(t, a, "")
}

// deadlocks checks that Go still finds a deadlock.
func deadlocks(t *testing.T, a *app, before string) {
	t.Helper()
	a.do("stuck", "done")
	err, errors := a.end()
	rest := strings.TrimPrefix(errors, before)
	if err == nil || !strings.HasPrefix(rest, "fatal error: all goroutines are asleep - deadlock!") {
		t.Fatalf("the end: %v, %s", err, errors)
	}
}

func TestBothWaysOfBuilding(t *testing.T) {
	for _, way := range []string{"import", "vendor", "overlay", "GOFLAGS"} {
		way := way
		t.Run(way, func(t *testing.T) { exact(t, toolchain{}, toolchain{}.build(t, way, atomically...)) })
	}
}

func TestRaceDetectorIsSilent(t *testing.T) {
	for _, way := range []string{"import", "overlay"} {
		binary := toolchain{}.build(t, way, "-race", "-cover")
		exact(t, toolchain{}, binary)
		folder := t.TempDir() // in it every start but the first finds a covmeta file
		for range [20]int{} {
			signalAtOnce(t, binary, folder)
		}
	}
}

func TestOtherModes(t *testing.T) {
	for _, way := range []string{"import", "overlay"} {
		for _, mode := range []string{"set", "count"} {
			refused(t, toolchain{}.build(t, way, "-cover", "-covermode="+mode), integcovNotAtomic)
		}
	}
}

func TestNotBuiltWithCover(t *testing.T) {
	refused(t, toolchain{}.build(t, "import"), integcovNotCover)
	toolchain{}.build(t, "overlay") // it changes nothing, so there is nothing to look at
}

func TestWithoutGocoverdir(t *testing.T) {
	for _, way := range []string{"import", "overlay"} {
		a := start(t, toolchain{}.build(t, way, atomically...), "")
		a.expect("in main")
		deadlocks(t, a, "warning: GOCOVERDIR not set, no coverage data emitted\n")
		if files, _ := os.ReadDir(a.process.Dir); len(files) != 0 {
			t.Fatal("there are files in the working directory")
		}
	}
}

// signalAtOnce asks as early as a supervisor may.
func signalAtOnce(t *testing.T, binary, folder string) {
	t.Helper()
	a := start(t, binary, folder)
	a.ready(a.pid(), syscall.SIGUSR1)
	a.snapshot(a.pid(), syscall.SIGUSR1)
	a.endWell()
}

func TestSignalAsSoonAsReady(t *testing.T) {
	binary, folder := toolchain{}.build(t, "overlay", atomically...), t.TempDir()
	for range [50]int{} {
		signalAtOnce(t, binary, folder)
	}
}

// Before main.init there is nothing to read yet.
func TestLongInit(t *testing.T) {
	for _, flags := range [][]string{atomically, {"-race", "-cover"}} {
		a := start(t, toolchain{}.build(t, "overlay", flags...), t.TempDir(), "APP_WAITS_IN_INIT=1")
		a.expect("in init")
		for range [3]int{} {
			if err := syscall.Kill(a.pid(), syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(a.control("ready", a.pid())); err == nil {
			t.Fatal("ready in an init")
		}
		a.do("go on", "in main")
		a.ready(a.pid(), syscall.SIGUSR1)
		a.do("hit 7", "done")
		if got := hits(t, toolchain{}, a.snapshot(a.pid(), syscall.SIGUSR1)); got != 7 {
			t.Fatalf("%d hits", got)
		}
		a.endWell()
	}
}

func TestStormOfSignals(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.expect("in main")
	a.ready(a.pid(), syscall.SIGUSR1)
	a.tell("hit 30000000")
	for range [5000]int{} {
		if err := syscall.Kill(a.pid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
	}
	between := hits(t, toolchain{}, a.snapshot(a.pid(), syscall.SIGUSR1))
	a.expect("done")
	if got := hits(t, toolchain{}, a.snapshot(a.pid(), syscall.SIGUSR1)); got != 30000000 || between > got {
		t.Fatalf("%d hits, then %d", between, got)
	}
	a.endWell()
	all, _ := filepath.Glob(a.folder + "/covcounters.*")
	t.Logf("%d snapshots for 5002 signals", len(all)-1)
	for _, file := range all[:len(all)/20+1] {
		hits(t, toolchain{}, file) // each is whole
	}
}

// Go can't tell a deadlock while it waits for a signal; the counters can still be read.
func TestDeadlockBecomesAHang(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.expect("in main")
	a.ready(a.pid(), syscall.SIGUSR1)
	a.do("hit 3", "done")
	a.do("stuck", "done")
	for range [3]int{} {
		if got := hits(t, toolchain{}, a.snapshot(a.pid(), syscall.SIGUSR1)); got != 3 {
			t.Fatalf("%d hits", got)
		}
	}
}

func TestExecOfItself(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.expect("in main")
	image := a.ready(a.pid(), syscall.SIGUSR1)
	a.do("hit 1000", "done")
	first := a.snapshot(a.pid(), syscall.SIGUSR1)
	a.do("exec", "in main")
	await(t, "the new image's ready file", func() bool { return a.ready(a.pid(), syscall.SIGUSR1) != image })
	a.do("hit 30", "done")
	second := a.snapshot(a.pid(), syscall.SIGUSR1)
	if one, two := hits(t, toolchain{}, first), hits(t, toolchain{}, second); one != 1000 || two != 30 {
		t.Fatalf("%d and %d hits", one, two)
	}
	if both := hits(t, toolchain{}, first, second); both != 1030 {
		t.Fatalf("%d hits in both", both)
	}
	a.endWell()
}

func TestChildProcess(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.expect("in main")
	a.do("hit 1000", "done")
	a.tell("child")
	child := 0
	for answers := 0; answers < 2; answers++ { // its "in main" may come first
		fmt.Sscanf(a.answer(), "child %d", &child)
	}
	if child == 0 {
		t.Fatal("no child")
	}
	a.ready(child, syscall.SIGUSR1)
	a.ready(a.pid(), syscall.SIGUSR1)
	a.do("hit 30", "done")
	parents, childs := a.snapshot(a.pid(), syscall.SIGUSR1), a.snapshot(child, syscall.SIGUSR1)
	if one, two := hits(t, toolchain{}, parents), hits(t, toolchain{}, childs); one != 1000 || two != 30 {
		t.Fatalf("%d and %d hits", one, two)
	}
	a.endWell()
}

func TestFailedSnapshot(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.expect("in main")
	a.ready(a.pid(), syscall.SIGUSR1)
	if err := os.Chmod(a.folder, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(a.pid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	sentence := awaitFile(t, a.control("error", a.pid()))
	if !strings.HasPrefix(sentence, "no snapshot: ") || !strings.Contains(sentence, "permission denied\n") {
		t.Fatalf("error file: %q", sentence)
	}
	if err := os.Chmod(a.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	a.snapshot(a.pid(), syscall.SIGUSR1)
	await(t, "the error file's end", func() bool { _, err := os.Stat(a.control("error", a.pid())); return err != nil })
	a.endWell()
	files, _ := os.ReadDir(filepath.Join(a.folder, ".integcov"))
	if len(files) != 1 {
		t.Fatalf("%v", files)
	}
}

func TestOtherSignal(t *testing.T) {
	binary := toolchain{}.build(t, "overlay", atomically...)
	a := start(t, binary, t.TempDir(), "INTEGCOV_FLUSH_SIGNAL=usr2")
	a.ready(a.pid(), syscall.SIGUSR2)
	a.snapshot(a.pid(), syscall.SIGUSR2)
	a.endWell()

	a = start(t, binary, t.TempDir(), "INTEGCOV_FLUSH_SIGNAL=SIGUSR3")
	sentence := awaitFile(t, a.control("error", a.pid()))
	if !strings.HasPrefix(sentence, `INTEGCOV_FLUSH_SIGNAL: "SIGUSR3" is not a signal; expected`) {
		t.Fatalf("error file: %q", sentence)
	}
	a.endWell()
}

func TestStaleFiles(t *testing.T) {
	a := start(t, toolchain{}.build(t, "overlay", atomically...), t.TempDir())
	a.ready(a.pid(), syscall.SIGUSR1)
	writeFile(t, a.control("error", a.pid()), "stale\n")
	a.expect("in main")
	a.do("exec", "in main")
	await(t, "the stale file's end", func() bool { _, err := os.Stat(a.control("error", a.pid())); return err != nil })
	a.endWell()

	a = start(t, toolchain{}.build(t, "overlay", "-cover", "-covermode=set"), t.TempDir(), "APP_WAITS_IN_INIT=1")
	a.expect("in init")
	control := filepath.Join(a.folder, ".integcov")
	if err := os.Mkdir(control, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(control, 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	writeFile(t, a.control("ready", a.pid()), "1\n10\n-\n")
	a.do("go on", "in main")
	awaitFile(t, a.control("error", a.pid()))
	if _, err := os.Stat(a.control("ready", a.pid())); err == nil {
		t.Fatal("the stale file is there")
	}
	a.endWell()
}
