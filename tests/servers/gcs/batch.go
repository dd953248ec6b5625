package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// batch serves /batch/storage/v1: each part is a request of its own and gets the outer one's
// Authorization; uploads are none of its calls.
func (s *server) batch(c *call) answer {
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if c.Method != http.MethodPost || err != nil || kind != "multipart/mixed" {
		return badRequest("Failed to parse batch request.")
	}
	var body bytes.Buffer
	results := multipart.NewWriter(&body)
	parts := multipart.NewReader(bytes.NewReader(c.body), parameters["boundary"])
	for count := 0; ; count++ {
		part, err := parts.NextRawPart()
		if err == io.EOF && count > 0 {
			break
		}
		if err != nil || count == 100 {
			return badRequest("Failed to parse batch request.")
		}
		inner, err := http.ReadRequest(bufio.NewReader(part))
		if err != nil || !strings.HasPrefix(inner.URL.Path, "/storage/") {
			return badRequest("Failed to parse batch request.")
		}
		if inner.Header.Get("Authorization") == "" {
			inner.Header.Set("Authorization", c.Header.Get("Authorization"))
		}
		a := s.route(&call{Request: inner, query: inner.URL.Query(), whole: true})
		w, err := results.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}})
		check(err)
		fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
		a.header.Write(w)
		fmt.Fprintf(w, "\r\n%s", a.body)
	}
	check(results.Close())
	return answer{http.StatusOK, http.Header{}, body.Bytes()}.
		with("Content-Type", "multipart/mixed; boundary="+results.Boundary())
}
