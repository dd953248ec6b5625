// Command files shows what else may lie in GOCOVERDIR when a program ends: files of its own, also in
// subfolders and with odd names, a leftover of a killed program, symbolic links to a file (-outside)
// and to its folder, a named pipe and an empty file.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"syscall"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	outside := flag.String("outside", "/etc/hostname", "where the links point")
	flag.Parse()
	dir := os.Getenv("GOCOVERDIR")
	if dir == "" {
		log.Fatal("GOCOVERDIR is not set")
	}
	in := func(name string) string { return filepath.Join(dir, name) }

	check(os.MkdirAll(in("sub/deep"), 0o755))
	for name, content := range map[string]string{
		"app.log":                  "started\nended\n",
		"empty.txt":                "",
		"sub/deep/notes.txt":       "a note in a subfolder\n",
		"tmp.covmeta.x":            "left by a program that was killed\n",
		"sub/tmp.covcounters.y":    "another leftover\n",
		"weird name+#%&ä.txt":      "a name that needs encoding\n",
		"100%25 is not 100%.txt":   "a name that looks encoded\n",
		"sub/?query=1&x=[y]*.html": "a name with a query\n",
	} {
		check(os.WriteFile(in(name), []byte(content), 0o644))
	}
	check(os.Symlink(*outside, in("link.txt")))
	check(os.Symlink(filepath.Dir(*outside), in("linked-folder")))
	check(syscall.Mkfifo(in("pipe"), 0o600))
}
