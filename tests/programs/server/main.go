// Command server shows a web server that ends gracefully: on SIGTERM or SIGINT it stops listening,
// finishes what is under way, waits for -drain, prints "bye" and returns from main.
//
// It listens on 127.0.0.1:$PORT (any free port without PORT) and prints "listening ADDR".
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

var hits atomic.Int64

func hit(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, hits.Add(1))
}

// slow answers after the duration in ?for=, so that a test can stop the server in the middle.
func slow(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(d)
	fmt.Fprintln(w, "slept", d)
}

func main() {
	drain := flag.Duration("drain", 0, "how long to linger after the last request")
	flag.Parse()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)

	port := os.Getenv("PORT")
	if port == "" {
		port = "0"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hit", hit)
	mux.HandleFunc("/slow", slow)
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	fmt.Println("listening", listener.Addr())

	fmt.Println("stopping:", <-stop)
	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	time.Sleep(*drain)
	fmt.Println("bye")
}
