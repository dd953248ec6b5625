//go:build linux

package coverage

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const module = "github.com/go-integcov/go-integcov/src/handler"

// toolchain is how to call one Go: "" is the one that runs the tests.
type toolchain struct {
	goroot, version string
}

func (c toolchain) environment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "GOROOT", "GOFLAGS", "GOTOOLCHAIN", "GOCOVERDIR", "INTEGCOV_FLUSH_SIGNAL":
		default:
			kept = append(kept, pair)
		}
	}
	kept = append(kept, "GOFLAGS=-buildvcs=false", "GORACE=atexit_sleep_ms=0")
	if c.version != "" {
		kept = append(kept, "GOTOOLCHAIN=go"+c.version)
	}
	if c.goroot != "" {
		kept = append(kept, "GOROOT="+c.goroot, "PATH="+c.goroot+"/bin:"+os.Getenv("PATH"))
	}
	return kept
}

// command runs in a folder and returns stdout, stderr and whether it went well.
func (c toolchain) command(folder, name string, arguments ...string) (string, string, error) {
	if c.goroot != "" && name == "go" {
		name = c.goroot + "/bin/go"
	}
	command := exec.Command(name, arguments...)
	command.Dir = folder
	command.Env = c.environment()
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	err := command.Run()
	return out.String(), errors.String(), err
}

func (c toolchain) must(t *testing.T, folder, name string, arguments ...string) string {
	t.Helper()
	out, errors, err := c.command(folder, name, arguments...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(arguments, " "), err, out, errors)
	}
	return out
}

var (
	programs string // the folder of all that are built
	built    = map[string]string{}
)

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "integcov-handler-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(status)
}

// build makes the program with the handler: way is "import", "vendor", "overlay" or "GOFLAGS".
func (c toolchain) build(t *testing.T, way string, flags ...string) string {
	t.Helper()
	key := fmt.Sprint(c, way, flags)
	if built[key] == "" {
		built[key] = c.buildNew(t, way, flags...)
	}
	return built[key]
}

func (c toolchain) buildNew(t *testing.T, way string, flags ...string) string {
	t.Helper()
	folder, err := os.MkdirTemp(programs, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "early"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "main.go", "hit.go", "early/early.go"} {
		copyFile(t, filepath.Join("testdata/app", name), filepath.Join(folder, name))
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	switch way {
	case "import", "vendor":
		writeFile(t, filepath.Join(folder, "handler.go"), "package main\n\nimport _ \""+module+"\"\n")
		c.must(t, folder, "go", "mod", "edit", "-require="+module+"@v0.0.0", "-replace="+module+"="+here)
		if way == "vendor" {
			c.must(t, folder, "go", "mod", "vendor")
			flags = append(flags, "-mod=vendor")
		}
	case "overlay", "GOFLAGS":
		overlay := filepath.Join(folder, "overlay.json")
		writeFile(t, overlay, c.must(t, folder, "sh", filepath.Join(here, "overlay.sh")))
		if way == "overlay" {
			flags = append(flags, "-overlay="+overlay)
			break
		}
		all := "GOFLAGS=-buildvcs=false -overlay=" + overlay + " " + strings.Join(flags, " ")
		c.must(t, folder, "env", all, "go", "build", "-o", "app", ".")
		return filepath.Join(folder, "app")
	}
	c.must(t, folder, "go", append(append([]string{"build", "-o", "app"}, flags...), ".")...)
	return filepath.Join(folder, "app")
}

// app is a running program.
type app struct {
	t        *testing.T
	folder   string // GOCOVERDIR
	process  *exec.Cmd
	commands io.WriteCloser
	answers  *bufio.Reader
	errors   bytes.Buffer
}

func start(t *testing.T, binary, folder string, environment ...string) *app {
	t.Helper()
	a := &app{t: t, folder: folder, process: exec.Command(binary)}
	a.process.Dir = t.TempDir()
	a.process.Env = toolchain{}.environment()
	if folder != "" {
		a.process.Env = append(a.process.Env, "GOCOVERDIR="+folder)
	}
	a.process.Env = append(a.process.Env, environment...)
	a.process.Stderr = &a.errors
	if os.Getuid() == 0 { // so that permissions count
		const nobody = 65534
		if folder != "" {
			reachable(t, folder)
			if err := os.Chown(folder, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		reachable(t, binary)
		reachable(t, a.process.Dir)
		a.process.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var err error
	if a.commands, err = a.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	answers, err := a.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	a.answers = bufio.NewReader(answers)
	if err := a.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.process.Process.Kill(); _ = a.process.Wait() })
	return a
}

func (a *app) pid() int { return a.process.Process.Pid }

func (a *app) tell(command string) {
	a.t.Helper()
	if _, err := fmt.Fprintln(a.commands, command); err != nil {
		a.t.Fatal(err)
	}
}

func (a *app) answer() string {
	a.t.Helper()
	line, err := a.answers.ReadString('\n')
	if err != nil {
		a.t.Fatalf("no answer: %v\n%s", err, a.errors.String())
	}
	return strings.TrimSuffix(line, "\n")
}

func (a *app) do(command, answer string) {
	a.t.Helper()
	a.tell(command)
	if got := a.answer(); got != answer {
		a.t.Fatalf("%s: answer %q, not %q", command, got, answer)
	}
}

func (a *app) expect(answer string) {
	a.t.Helper()
	if got := a.answer(); got != answer {
		a.t.Fatalf("answer %q, not %q", got, answer)
	}
}

// end closes the commands and returns how the program ended and what it wrote to stderr.
func (a *app) end() (error, string) {
	_ = a.commands.Close()
	_, _ = io.Copy(io.Discard, a.answers)
	err := a.process.Wait()
	return err, a.errors.String()
}

func (a *app) endWell() {
	a.t.Helper()
	if err, errors := a.end(); err != nil || errors != "" {
		a.t.Fatalf("the end: %v, stderr %q", err, errors)
	}
}

func (a *app) control(kind string, pid int) string {
	return filepath.Join(a.folder, ".integcov", fmt.Sprintf("%s.%d", kind, pid))
}

// ready waits for the file and checks it; it returns the image's checksum.
func (a *app) ready(pid int, signal syscall.Signal) string {
	a.t.Helper()
	content := awaitFile(a.t, a.control("ready", pid))
	match := regexp.MustCompile(`^1\n(\d+)\n([0-9a-f]{8})\n$`).FindStringSubmatch(content)
	if match == nil || match[1] != strconv.Itoa(int(signal)) {
		a.t.Fatalf("ready.%d: %q", pid, content)
	}
	if _, err := os.Stat(a.control("error", pid)); err == nil {
		a.t.Fatalf("there is an error file beside ready.%d", pid)
	}
	return match[2]
}

// snapshot asks for one and returns the counters file that answers, as go-integcov would.
func (a *app) snapshot(pid int, signal syscall.Signal) string {
	a.t.Helper()
	since := time.Now().UnixNano()
	if err := syscall.Kill(pid, signal); err != nil {
		a.t.Fatal(err)
	}
	found := ""
	await(a.t, "a snapshot", func() bool { found = newest(a.folder, pid, since); return found != "" })
	return found
}

func newest(folder string, pid int, since int64) string {
	files, _ := filepath.Glob(fmt.Sprintf("%s/covcounters.*.%d.*", folder, pid))
	found := ""
	for _, file := range files {
		if at, _ := strconv.ParseInt(file[strings.LastIndex(file, ".")+1:], 10, 64); at >= since {
			found, since = file, at
		}
	}
	return found
}

// hits is the number of calls of hit, as go tool covdata reads it from these counters.
func hits(t *testing.T, c toolchain, counters ...string) int {
	t.Helper()
	folder := t.TempDir()
	for _, file := range counters {
		copyFile(t, file, filepath.Join(folder, filepath.Base(file)))
		metas, _ := filepath.Glob(filepath.Dir(file) + "/covmeta.*")
		for _, meta := range metas {
			copyFile(t, meta, filepath.Join(folder, filepath.Base(meta)))
		}
	}
	profile := filepath.Join(folder, "profile")
	c.must(t, "testdata/app", "go", "tool", "covdata", "textfmt", "-i="+folder, "-o="+profile)
	content, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^\S*/hit\.go:\S+ 1 (\d+)$`).FindAllSubmatch(content, -1)
	if len(match) != 1 {
		t.Fatalf("not one block in hit.go:\n%s", content)
	}
	count, _ := strconv.Atoi(string(match[0][1]))
	return count
}

func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !there(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(limit) {
			t.Fatal("waited for a minute for " + what)
		}
	}
}

func awaitFile(t *testing.T, path string) string {
	t.Helper()
	var content []byte
	await(t, path, func() bool {
		var err error
		content, err = os.ReadFile(path)
		return err == nil
	})
	return string(content)
}

// reachable opens the folders above a path, which t.TempDir made, to everybody.
func reachable(t *testing.T, path string) {
	t.Helper()
	for ; strings.HasPrefix(path, os.TempDir()+"/"); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(content))
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
