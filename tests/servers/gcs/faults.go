package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// rule says what goes wrong with some of the requests. README.md explains each `do`.
type rule struct {
	Match    string            `json:"match"`    // "METHOD /path/prefix", "*" for any method
	Contains string            `json:"contains"` // in the decoded path and query
	Range    string            `json:"range"`    // prefix of Content-Range
	Skip     int               `json:"skip"`     // let so many pass first
	Times    int               `json:"times"`    // default 1, -1: always
	Do       string            `json:"do"`
	Status   int               `json:"status"`
	Reason   string            `json:"reason"` // of the JSON error, by default like the status
	Text     *string           `json:"text"`   // the body as plain text instead of a JSON error
	Headers  map[string]string `json:"headers"`
	Retry    *int              `json:"retryAfter"` // seconds
	Bytes    *int64            `json:"bytes"`
	Then     string            `json:"then"` // after persist-only: "reset" or "status"
	Latency  int               `json:"latencyMs"`
}

var verbs = map[string]bool{
	"status": true, "early-status": true, "reset-before-body": true, "reset-after-bytes": true,
	"reset-after-commit": true, "commit-then-status": true, "stall": true, "partial-response": true,
	"persist-only": true, "drop-session": true, "latency": true, "wrong-crc32c": true,
	"cut-response": true, "stall-response": true, "corrupt": true, "corrupt-stored": true,
}

var needsBytes = map[string]bool{
	"persist-only": true, "reset-after-bytes": true, "cut-response": true, "stall-response": true,
}

func (r rule) status(otherwise int) int {
	if r.Status != 0 {
		return r.Status
	}
	return otherwise
}

func (r rule) matches(q *http.Request) bool {
	method, prefix, _ := strings.Cut(r.Match, " ")
	uri, err := url.PathUnescape(q.RequestURI)
	if err != nil {
		uri = q.RequestURI
	}
	return (method == "*" || method == "" || method == q.Method) &&
		strings.HasPrefix(q.URL.Path, prefix) && strings.Contains(uri, r.Contains) &&
		strings.HasPrefix(q.Header.Get("Content-Range"), r.Range)
}

// reply is the answer that a rule makes up.
func (r rule) reply() answer {
	status := r.status(http.StatusServiceUnavailable)
	reason := r.Reason
	if reason == "" {
		reason = "backendError"
		if status == http.StatusTooManyRequests {
			reason = "rateLimitExceeded"
		}
	}
	a := failure(status, reason, "Scripted: "+http.StatusText(status))
	if r.Text != nil {
		a = text(status, *r.Text)
	}
	if r.Retry != nil {
		a.header.Set("Retry-After", fmt.Sprint(*r.Retry))
	}
	for name, value := range r.Headers {
		a.header.Set(name, value)
	}
	return a
}

// faults is the script: the first rule that matches and isn't used up applies.
type faults struct {
	mutex sync.Mutex
	rules []*rule
}

func (f *faults) add(script []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(script))
	decoder.DisallowUnknownFields()
	var rules []*rule
	if err := decoder.Decode(&rules); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	for _, r := range rules {
		if !verbs[r.Do] {
			return fmt.Errorf("rules: unknown do: %q", r.Do)
		}
		if needsBytes[r.Do] && r.Bytes == nil {
			return fmt.Errorf("rules: %s needs bytes", r.Do)
		}
		if r.Then != "" && r.Then != "reset" && r.Then != "status" {
			return fmt.Errorf("rules: unknown then: %q", r.Then)
		}
		if r.Times == 0 {
			r.Times = 1
		}
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.rules = append(f.rules, rules...)
	return nil
}

func (f *faults) clear() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.rules = nil
}

func (f *faults) take(q *http.Request) rule {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, r := range f.rules {
		if r.Times == 0 || !r.matches(q) {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if r.Times > 0 {
			r.Times--
		}
		return *r
	}
	return rule{}
}

// perform handles a request by its rule. False: there is no answer, the connection must break.
func (s *server) perform(c *call, w http.ResponseWriter) (answer, bool) {
	r := c.rule
	if r.Latency > 0 {
		time.Sleep(time.Duration(r.Latency) * time.Millisecond)
	}
	limit := int64(-1)
	switch r.Do {
	case "reset-before-body":
		return answer{}, false
	case "early-status":
		return r.reply().with("Connection", "close"), true
	case "reset-after-bytes", "stall":
		if r.Bytes != nil {
			limit = *r.Bytes
		}
	}
	c.readBody(limit)

	switch r.Do {
	case "status":
		return r.reply(), true
	case "stall":
		<-c.Context().Done()
		return answer{}, false
	case "reset-after-bytes":
		s.route(c) // a session keeps what came
		return answer{}, false
	case "corrupt":
		if len(c.body) > 0 {
			c.body[len(c.body)/2] ^= 1
		}
	}
	a := s.route(c)
	switch {
	case r.Do == "reset-after-commit" || r.Then == "reset":
		return answer{}, false
	case r.Do == "commit-then-status" || r.Then == "status":
		return r.reply(), true
	case r.Do == "partial-response":
		a.header.Set("Content-Length", fmt.Sprint(len(a.body)))
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		w.Write(a.body[:len(a.body)/2])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		return answer{status: a.status}, false
	case r.Do == "cut-response" || r.Do == "stall-response":
		a.sendPart(w, *r.Bytes, r.Do == "stall-response")
		return answer{status: a.status}, false
	case r.Do == "wrong-crc32c":
		var resource map[string]any
		if json.Unmarshal(a.body, &resource) == nil && resource["crc32c"] != nil {
			resource["crc32c"] = "AAAAAQ=="
			a = jsonAnswer(a.status, resource)
		}
	}
	if !c.whole {
		return answer{}, false // the client has gone
	}
	return a, true
}

// sendPart writes the first bytes of the raw response on the connection itself, then closes it or
// waits until the client does.
func (a answer) sendPart(w http.ResponseWriter, count int64, wait bool) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return // HTTP/2
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	a.header.Set("Content-Length", fmt.Sprint(len(a.body)))
	a.header.Write(&raw)
	raw.WriteString("\r\n")
	raw.Write(a.body)
	conn.Write(raw.Bytes()[:min(count, int64(raw.Len()))])
	if wait {
		io.Copy(io.Discard, conn)
	}
}

// breakConnection ends the connection with a RST (HTTP/2: only the stream), or with a FIN after part
// of a response, so that this part arrives. It doesn't return.
func breakConnection(r *http.Request, fault string) {
	inFull := fault == "partial-response" || fault == "cut-response" || fault == "stall-response"
	if r.ProtoMajor == 1 && !inFull {
		conn := r.Context().Value(connectionKey{}).(connection).conn
		if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = secure.NetConn()
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
	panic(http.ErrAbortHandler)
}
