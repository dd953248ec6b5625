// Command gcs plays Google Cloud Storage, its OAuth token endpoint and the metadata server for the
// integration tests. It answers as the real service does where emulators differ, and it follows a
// script of faults (faults.go). README.md beside this file has the control interface.
//
// It listens on a free port of 127.0.0.1, prints one line of JSON that says where, and exits when
// its stdin is closed.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

type options struct {
	rights      string
	buckets     string
	userProject string
	// Between two writes of one object name.
	nameInterval time.Duration
	token        string
	lifetime     time.Duration
	publicKey    string
	keyID        string
	refresh      string
	subject      string
	stsClient    string
	universe     string
}

func main() {
	var o options
	flag.StringVar(&o.buckets, "buckets", "bucket", "names of the buckets, with commas")
	flag.StringVar(&o.rights, "rights", "create,get,list,delete",
		"what the caller may do: storage.objects.X")
	flag.StringVar(&o.userProject, "user-project", "",
		"the buckets are requester pays: userProject must be this")
	flag.DurationVar(&o.nameInterval, "name-interval", 0,
		"a write of an object that is younger is refused with 429 (the service: 1s)")
	flag.StringVar(&o.token, "token", "",
		"requests need a bearer token: this one, or NAME-1, NAME-2, … from the token endpoints")
	flag.DurationVar(&o.lifetime, "token-lifetime", time.Hour, "of tokens given out")
	flag.StringVar(&o.publicKey, "public-key", "", "PEM file for the JWTs sent to /token")
	flag.StringVar(&o.keyID, "key-id", "", "the kid that JWTs must have")
	flag.StringVar(&o.refresh, "refresh-token", "refresh", "the refresh token accepted by /token")
	flag.StringVar(&o.subject, "subject-token", "", "the subject token accepted by /v1/token")
	flag.StringVar(&o.stsClient, "sts-client", "", "ID:SECRET that /v1/token wants to see")
	flag.StringVar(&o.universe, "universe", "",
		"the universe that the metadata server and self-signed tokens belong to")
	listen := flag.String("listen", "127.0.0.1:0", "address for http; https takes any port there")
	tlsName := flag.String("tls-name", "", "the certificate is for this name only")
	tls11 := flag.Bool("tls-1.1", false, "speak TLS 1.1 at most")
	script := flag.String("script", "", "JSON file with rules to start with")
	secure := flag.Bool("tls", false, "serve https, by a certificate of a fresh CA")
	caOut := flag.String("ca-out", "", "where to write the CA's certificate (PEM)")
	flag.Parse()

	s, err := newServer(o)
	check(err)
	if *script != "" {
		text, err := os.ReadFile(*script)
		check(err)
		check(s.faults.add(text))
	}

	plain, err := net.Listen("tcp", *listen)
	check(err)
	address := map[string]string{
		"address": plain.Addr().String(),
		"url":     "http://" + plain.Addr().String(),
		"plain":   plain.Addr().String(), // the metadata server is never behind TLS
	}
	h := httpServer(s)
	if *secure {
		ip := plain.Addr().(*net.TCPAddr).IP
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
		check(err)
		h.TLSConfig, err = newTLS(*caOut, *tlsName, ip)
		check(err)
		if *tls11 {
			h.TLSConfig.MinVersion, h.TLSConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}
		s.behindProxy = listener.Addr().String()
		address["address"] = listener.Addr().String()
		address["url"] = "https://" + listener.Addr().String()
		go func() { check(h.ServeTLS(listener, "", "")) }()
	}
	go func() { check(h.Serve(plain)) }()

	line, err := json.Marshal(address)
	check(err)
	fmt.Println(string(line))
	io.Copy(io.Discard, os.Stdin)
}

type connectionKey struct{}

// connection is the TCP connection that a request came on.
type connection struct {
	id   int64
	conn net.Conn
}

func httpServer(handler http.Handler) *http.Server {
	var count atomic.Int64
	return &http.Server{
		Handler:  handler,
		ErrorLog: log.New(io.Discard, "", 0), // aborted requests are part of the plan
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, connection{count.Add(1), c})
		},
	}
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
