// Command big shows a large file: it writes -mib MiB of pseudo-random bytes, the same in every run,
// to -name in GOCOVERDIR and prints "NAME SIZE CRC32C" (base64, as GCS writes it).
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"os"
	"path/filepath"
)

// xorshift is George Marsaglia's 64-bit generator (Journal of Statistical Software 8(14), 2003).
type xorshift uint64

func (x *xorshift) next() uint64 {
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return uint64(*x)
}

func main() {
	mib := flag.Int64("mib", 20, "size in MiB")
	name := flag.String("name", "blob.bin", "the file's name in GOCOVERDIR")
	flag.Parse()

	file, err := os.Create(filepath.Join(os.Getenv("GOCOVERDIR"), *name))
	if err != nil {
		log.Fatal(err)
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	buffered := bufio.NewWriterSize(io.MultiWriter(file, sum), 1<<16)
	random := xorshift(88172645463325252)
	var word [8]byte
	for i := int64(0); i < *mib<<20; i += 8 {
		binary.LittleEndian.PutUint64(word[:], random.next())
		buffered.Write(word[:]) // the error is sticky: Flush reports it
	}
	if err := buffered.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(*name, *mib<<20, base64.StdEncoding.EncodeToString(sum.Sum(nil)))
}
