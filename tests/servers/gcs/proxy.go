package main

import (
	"io"
	"net"
	"net/http"
)

// tunnel plays an HTTP proxy: every CONNECT leads to this server's own https side.
func (s *server) tunnel(w http.ResponseWriter) int {
	target, err := net.Dial("tcp", s.behindProxy)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return http.StatusBadGateway
	}
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		target.Close()
		return http.StatusInternalServerError
	}
	io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		defer target.Close()
		io.Copy(target, buffered)
	}()
	go func() {
		defer client.Close()
		io.Copy(client, target)
	}()
	return http.StatusOK
}
