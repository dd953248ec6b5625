package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const quantum = 262144

// session is a resumable upload.
type session struct {
	insertion         // data: what is persisted
	total     int64   // X-Upload-Content-Length, -1 if unknown
	result    *answer // of the request that finished it
	gone      int     // 404 or 410 when lost, 499 when cancelled
}

func (s *server) startSession(c *call, bucket string) answer {
	n := &session{total: -1}
	n.insertion = insertion{bucket: bucket, query: c.query}
	if len(c.body) > 0 {
		if err := json.Unmarshal(c.body, &n.meta); err != nil {
			return failure(http.StatusBadRequest, "parseError", "Parse Error")
		}
	}
	n.name = c.query.Get("name")
	if n.name == "" {
		n.name = n.meta.Name
	}
	if n.meta.ContentType == "" {
		n.meta.ContentType = c.Header.Get("X-Upload-Content-Type")
	}
	if length := c.Header.Get("X-Upload-Content-Length"); length != "" {
		total, err := strconv.ParseInt(length, 10, 64)
		if err != nil || total < 0 {
			return badRequest("Invalid X-Upload-Content-Length.")
		}
		n.total = total
	}
	if refused := s.admit(n.insertion); refused != nil {
		return *refused
	}
	s.counter++
	id := fmt.Sprintf("session-%d", s.counter)
	s.sessions[id] = n
	query := url.Values{"uploadType": {"resumable"}, "name": {n.name}, "upload_id": {id}}
	if project := c.query.Get("userProject"); project != "" {
		query.Set("userProject", project)
	}
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return empty(http.StatusOK).with("X-GUploader-UploadID", id).
		with("Location", scheme+"://"+c.Host+c.URL.EscapedPath()+"?"+query.Encode())
}

// contentRange is "bytes FIRST-LAST/TOTAL"; each may be -1: "bytes */TOTAL", "bytes FIRST-LAST/*".
type contentRange struct{ first, last, total int64 }

func parseContentRange(header string) (contentRange, error) {
	malformed := errors.New("Failed to parse Content-Range header.")
	r := contentRange{-1, -1, -1}
	span, total, ok := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	if !ok || !strings.HasPrefix(header, "bytes ") {
		return r, malformed
	}
	var err error
	if total != "*" {
		if r.total, err = strconv.ParseInt(total, 10, 64); err != nil || r.total < 0 {
			return r, malformed
		}
	}
	if span == "*" {
		return r, nil
	}
	first, last, _ := strings.Cut(span, "-")
	if r.first, err = strconv.ParseInt(first, 10, 64); err != nil {
		return r, malformed
	}
	if r.last, err = strconv.ParseInt(last, 10, 64); err != nil {
		return r, malformed
	}
	if r.first < 0 || r.last < r.first || (r.total >= 0 && r.last >= r.total) {
		return r, malformed
	}
	return r, nil
}

// continueSession serves a session's address: chunk, status query or cancellation.
func (s *server) continueSession(c *call, id string) answer {
	n := s.sessions[id]
	if n != nil && c.rule.Do == "drop-session" {
		n.gone = c.rule.status(http.StatusNotFound)
	}
	switch {
	case n == nil:
		return text(http.StatusNotFound, "Not Found")
	case n.gone != 0:
		return text(n.gone, http.StatusText(n.gone))
	case c.Method == http.MethodDelete:
		n.gone = 499
		return empty(499)
	case c.Method != http.MethodPut && c.Method != http.MethodPost:
		return text(http.StatusMethodNotAllowed, "Method Not Allowed")
	case n.result != nil:
		return *n.result
	}
	r := contentRange{0, c.ContentLength - 1, c.ContentLength} // without a header: the whole object
	if c.ContentLength < 0 && c.whole {
		r.last, r.total = int64(len(c.body))-1, int64(len(c.body))
	}
	if header := c.Header.Get("Content-Range"); header != "" {
		var err error
		if r, err = parseContentRange(header); err != nil {
			return badRequest(err.Error())
		}
	}
	if r.total >= 0 && n.total >= 0 && r.total != n.total {
		return badRequest(fmt.Sprintf("Invalid request. The total of Content-Range, %d, doesn't match "+
			"X-Upload-Content-Length, %d.", r.total, n.total))
	}
	if r.first >= 0 && r.last >= r.first {
		if refused := n.append(c, r); refused != nil {
			return *refused
		}
	} else if len(c.body) > 0 {
		return badRequest("A status query must have no body.")
	}
	if r.total >= 0 && int64(len(n.data)) == r.total {
		return s.finish(c, n)
	}
	return n.progress()
}

// append takes a chunk; bytes that are there already are ignored. When the connection broke, whole
// quanta of what came are kept.
func (n *session) append(c *call, r contentRange) *answer {
	refuse := func(a answer) *answer { return &a }
	persisted := int64(len(n.data))
	if r.first > persisted {
		return refuse(text(http.StatusServiceUnavailable, fmt.Sprintf("Invalid request.  According to "+
			"the Content-Range header, the upload offset is %d byte(s), which exceeds already uploaded "+
			"size of %d byte(s).", r.first, persisted)))
	}
	length := r.last - r.first + 1
	taken := int64(len(c.body))
	if !c.whole {
		taken -= (r.first + taken) % quantum
	} else if taken != length {
		return refuse(badRequest(fmt.Sprintf("Content-Range announces %d bytes, the body has %d.",
			length, taken)))
	}
	if r.total != r.last+1 && length%quantum != 0 {
		return refuse(text(http.StatusBadRequest, fmt.Sprintf("Invalid request.  The number of bytes "+
			"uploaded is required to be equal or greater than %d, except for the final request (it's "+
			"recommended to be the exact multiple of %d).  The received request contained %d bytes, "+
			"which does not meet this requirement.", quantum, quantum, length)))
	}
	if c.rule.Do == "persist-only" && c.rule.Bytes != nil && *c.rule.Bytes < taken {
		taken = *c.rule.Bytes
	}
	if end := r.first + taken; end > persisted {
		n.data = append(n.data, c.body[persisted-r.first:taken]...)
	}
	return nil
}

func (n *session) progress() answer {
	a := empty(http.StatusPermanentRedirect)
	if len(n.data) > 0 {
		a = a.with("Range", fmt.Sprintf("bytes=0-%d", len(n.data)-1))
	}
	return a
}

func (s *server) finish(c *call, n *session) answer {
	for _, header := range c.Header.Values("X-Goog-Hash") {
		for _, item := range split(header) {
			if sum, ok := strings.CutPrefix(item, "crc32c="); ok && n.meta.Crc32c == "" {
				n.meta.Crc32c = sum
			}
		}
	}
	n.corrupt = len(n.data) > 0 && c.rule.Do == "corrupt-stored"
	result := s.insert(n.insertion)
	if result.status != http.StatusOK {
		n.gone = http.StatusGone
		return result
	}
	n.result = &result
	return result
}
