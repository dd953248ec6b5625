package main

import (
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// entry is a request as the log shows it.
type entry struct {
	Number     int               `json:"number"` // from 1
	Millis     int64             `json:"ms"`     // since the server started
	Method     string            `json:"method"`
	Path       string            `json:"path"` // as sent, not decoded
	Query      string            `json:"query"`
	Headers    map[string]string `json:"headers"` // lower-case names
	Body       int               `json:"body"`    // bytes received
	Connection int64             `json:"connection"`
	Protocol   string            `json:"protocol"`
	Fault      string            `json:"fault"`
	Status     int               `json:"status"` // 0: no answer was given
	Done       bool              `json:"done"`
}

type requestLog struct {
	mutex   sync.Mutex
	changed *sync.Cond
	start   time.Time
	entries []entry
}

func newRequestLog() *requestLog {
	l := &requestLog{start: time.Now()}
	l.changed = sync.NewCond(&l.mutex)
	return l
}

func (l *requestLog) begin(r *http.Request, fault string) int {
	e := entry{
		Millis: time.Since(l.start).Milliseconds(), Method: r.Method, Path: r.URL.EscapedPath(),
		Query: r.URL.RawQuery, Headers: map[string]string{"host": r.Host}, Protocol: r.Proto,
		Fault: fault, Connection: r.Context().Value(connectionKey{}).(connection).id,
	}
	if r.Method == http.MethodConnect {
		e.Path = r.Host
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if r.ContentLength >= 0 {
		e.Headers["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	if len(r.TransferEncoding) > 0 {
		e.Headers["transfer-encoding"] = strings.Join(r.TransferEncoding, ", ")
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	e.Number = len(l.entries) + 1
	l.entries = append(l.entries, e)
	l.changed.Broadcast()
	return e.Number
}

func (l *requestLog) end(number, body, status int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	e := &l.entries[number-1]
	e.Body, e.Status, e.Done = body, status, true
	l.changed.Broadcast()
}

func (l *requestLog) all() []entry {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]entry{}, l.entries...)
}

// wait returns true once `times` requests match, or false after the time-out.
func (l *requestLog) wait(match string, times int, done bool, timeout time.Duration) bool {
	expired := false
	timer := time.AfterFunc(timeout, func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		expired = true
		l.changed.Broadcast()
	})
	defer timer.Stop()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for {
		n := 0
		for _, e := range l.entries {
			if strings.HasPrefix(e.Method+" "+e.Path+"?"+e.Query, match) && (e.Done || !done) {
				n++
			}
		}
		if n >= times || expired {
			return n >= times
		}
		l.changed.Wait()
	}
}

// control serves /_control/…, which neither rules nor the log see.
func (s *server) control(r *http.Request) answer {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return text(http.StatusBadRequest, err.Error())
	}
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/_control/") {
	case "POST rules":
		if err := s.faults.add(body); err != nil {
			return text(http.StatusBadRequest, err.Error())
		}
		return empty(http.StatusNoContent)
	case "DELETE rules":
		s.faults.clear()
		return empty(http.StatusNoContent)
	case "POST revoke":
		s.tokens.revoke()
		return empty(http.StatusNoContent)
	case "GET log":
		return jsonAnswer(http.StatusOK, s.log.all())
	case "GET objects":
		return jsonAnswer(http.StatusOK, s.everything())
	case "GET wait":
		q := r.URL.Query()
		timeout, err := time.ParseDuration(q.Get("timeout"))
		if err != nil {
			timeout = 10 * time.Second
		}
		times, err := strconv.Atoi(q.Get("times"))
		if err != nil {
			times = 1
		}
		if !s.log.wait(q.Get("match"), times, q.Get("done") == "1", timeout) {
			return text(http.StatusRequestTimeout, "no such requests")
		}
		return empty(http.StatusNoContent)
	}
	return text(http.StatusNotFound, "no such control")
}

// everything lists the objects of all buckets, by bucket and name.
func (s *server) everything() []map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	objects := []*object{}
	for _, bucket := range s.buckets {
		for _, o := range bucket {
			objects = append(objects, o)
		}
	}
	sort.Slice(objects, func(i, j int) bool {
		a, b := objects[i], objects[j]
		return a.bucket < b.bucket || (a.bucket == b.bucket && a.name < b.name)
	})
	resources := []map[string]any{}
	for _, o := range objects {
		resources = append(resources, o.resource())
	}
	return resources
}
