//go:build linux

package coverage

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// INTEGCOV_GO_VERSIONS="1.20.14 1.25.8" fetches these toolchains.
func TestOtherVersionsOfGo(t *testing.T) {
	versions := strings.Fields(os.Getenv("INTEGCOV_GO_VERSIONS"))
	if len(versions) == 0 {
		t.Skip("INTEGCOV_GO_VERSIONS is not set")
	}
	for _, version := range versions {
		version := version
		t.Run(version, func(t *testing.T) {
			c := toolchain{version: version}
			exact(t, c, c.build(t, "import", atomically...))
			refused(t, c.build(t, "import", "-cover"), integcovNotAtomic)
			refused(t, c.build(t, "import"), integcovNotCover)
			signalAtOnce(t, c.build(t, "import", "-race", "-cover"), t.TempDir())
			script, err := filepath.Abs("overlay.sh")
			if err != nil {
				t.Fatal(err)
			}
			if _, errors, err := c.command(t.TempDir(), "sh", script); err != nil {
				if !strings.Contains(errors, "in the module cache") || strings.Count(errors, "\n") != 1 {
					t.Fatal(errors)
				}
				link := filepath.Join(t.TempDir(), "go") // the way out that the sentence names
				goroot := strings.TrimSpace(c.must(t, t.TempDir(), "go", "env", "GOROOT"))
				if err := os.Symlink(goroot, link); err != nil {
					t.Fatal(err)
				}
				c = toolchain{goroot: link}
			}
			binary := c.build(t, "overlay", atomically...)
			if out := c.must(t, t.TempDir(), "go", "version", binary); !strings.HasSuffix(out, " go"+version+"\n") {
				t.Fatal(out)
			}
			exact(t, c, binary)
			refused(t, c.build(t, "overlay", "-cover"), integcovNotAtomic)
		})
	}
}

func TestStyle(t *testing.T) {
	if out := (toolchain{}).must(t, ".", filepath.Join(runtime.GOROOT(), "bin/gofmt"), "-l", "."); out != "" {
		t.Errorf("gofmt -l:\n%s", out)
	}
	for _, platform := range []string{"linux", "windows", "darwin", "freebsd", "plan9"} {
		toolchain{}.must(t, ".", "env", "GOOS="+platform, "go", "vet", ".")
	}
	toolchain{}.must(t, ".", "go", "vet", "-race", ".")
	toolchain{}.must(t, ".", "env", "GOARCH=mips", "CGO_ENABLED=0", "go", "vet", ".")
	toolchain{}.must(t, "testdata/app", "go", "vet", ".")
}
