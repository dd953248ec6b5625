//go:build linux && race

package coverage

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// integcovWatchMeta returns a function that tells whether main.init has written its covmeta file,
// always a new one. Asking runtime/coverage before that would be a data race, and after it would
// look like one: the race detector sees the order of a write and a read of files only.
func integcovWatchMeta(folder string) func() bool {
	before := integcovMetaFiles(folder)
	return func() bool {
		for name, file := range integcovMetaFiles(folder) {
			if old, there := before[name]; !there || !os.SameFile(old, file) {
				_, _ = os.ReadFile(os.DevNull)
				return true
			}
		}
		return false
	}
}

func integcovMetaFiles(folder string) map[string]fs.FileInfo {
	files := map[string]fs.FileInfo{}
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "covmeta.") {
			if file, err := os.Lstat(filepath.Join(folder, entry.Name())); err == nil {
				files[entry.Name()] = file
			}
		}
	}
	return files
}
