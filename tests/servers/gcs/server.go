package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

type server struct {
	faults *faults
	log    *requestLog
	tokens *tokens
	rights map[string]bool
	// The project that pays, if the buckets are requester pays.
	userProject string
	// Where CONNECT leads, whatever host it names; empty: there is no proxy.
	behindProxy  string
	nameInterval time.Duration // between two writes of one name

	mutex    sync.Mutex // guards what follows
	buckets  map[string]map[string]*object
	sessions map[string]*session
	counter  int64 // generations and session names
}

func newServer(o options) (*server, error) {
	tokens, err := newTokens(o)
	if err != nil {
		return nil, err
	}
	s := &server{
		faults: &faults{}, log: newRequestLog(), tokens: tokens, userProject: o.userProject,
		nameInterval: o.nameInterval,
		rights:       map[string]bool{}, sessions: map[string]*session{},
		buckets: map[string]map[string]*object{},
	}
	for _, right := range split(o.rights) {
		s.rights["storage.objects."+right] = true
	}
	for _, bucket := range split(o.buckets) {
		s.buckets[bucket] = map[string]*object{}
	}
	return s, nil
}

// call is one request with its whole body (or what came of it).
type call struct {
	*http.Request
	query url.Values
	body  []byte
	whole bool // false: the connection broke within the body
	rule  rule
}

func (c *call) readBody(limit int64) {
	var source io.Reader = c.Body
	if limit >= 0 {
		source = io.LimitReader(c.Body, limit)
	}
	body, err := io.ReadAll(source)
	c.body = body
	c.whole = err == nil && limit < 0
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_control/") {
		s.control(r).write(w)
		return
	}
	c := &call{Request: r, query: r.URL.Query(), rule: s.faults.take(r)}
	number := s.log.begin(r, c.rule.Do)
	if r.Method == http.MethodConnect {
		s.log.end(number, 0, s.tunnel(w))
		return
	}
	a, sent := s.perform(c, w)
	s.log.end(number, len(c.body), a.status)
	if !sent {
		breakConnection(r, c.rule.Do)
	}
	a.write(w)
}

// route handles a request as the real service would.
func (s *server) route(c *call) answer {
	path := c.URL.EscapedPath()
	switch {
	case path == "/token":
		return s.tokens.exchange(c)
	case path == "/v1/token":
		return s.tokens.federate(c)
	case path == "/subject-token":
		return s.tokens.giveSubject(c)
	case strings.HasSuffix(path, ":generateAccessToken"):
		return s.tokens.impersonate(c)
	case strings.HasPrefix(path, "/computeMetadata/"):
		return s.tokens.metadata(c)
	}
	if path == "/batch/storage/v1" {
		return s.batch(c)
	}
	if denied := s.tokens.authorize(c); denied != nil {
		return *denied
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case path == "/storage/v1/b" && c.Method == http.MethodPost:
		return s.createBucket(c)
	case strings.HasPrefix(path, "/upload/storage/v1/b/"):
		return s.upload(c, strings.Split(strings.TrimPrefix(path, "/upload/storage/v1/b/"), "/"))
	case strings.HasPrefix(path, "/storage/v1/b/"):
		return s.access(c, strings.Split(strings.TrimPrefix(path, "/storage/v1/b/"), "/"))
	}
	return text(http.StatusNotFound, "Not Found")
}

// enter checks what concerns each request to a bucket.
func (s *server) enter(c *call, escaped string) (string, *answer) {
	bucket, err := url.PathUnescape(escaped)
	if _, known := s.buckets[bucket]; err != nil || !known {
		a := failure(http.StatusNotFound, "notFound", "The specified bucket does not exist.")
		return "", &a
	}
	if s.userProject != "" && c.query.Get("userProject") == "" {
		a := failure(http.StatusBadRequest, "required",
			"Bucket is a requester pays bucket but no user project provided.")
		return "", &a
	}
	if s.userProject != "" && c.query.Get("userProject") != s.userProject {
		a := failure(http.StatusForbidden, "forbidden",
			"tester@example.com does not have serviceusage.services.use access to the project.")
		return "", &a
	}
	return bucket, nil
}

// upload serves /upload/storage/v1/b/BUCKET/o.
func (s *server) upload(c *call, parts []string) answer {
	if len(parts) != 2 || parts[1] != "o" {
		return text(http.StatusNotFound, "Not Found")
	}
	bucket, wrong := s.enter(c, parts[0])
	if wrong != nil {
		return *wrong
	}
	if id := c.query.Get("upload_id"); id != "" {
		return s.continueSession(c, id)
	}
	if c.Method != http.MethodPost {
		return text(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	if !c.whole {
		return empty(http.StatusBadRequest) // nobody is there to read it
	}
	switch c.query.Get("uploadType") {
	case "media":
		u := insertion{bucket: bucket, name: c.query.Get("name"), query: c.query, data: c.body}
		u.meta.ContentType = c.Header.Get("Content-Type")
		return s.insert(u)
	case "multipart":
		return s.insertMultipart(c, bucket)
	case "resumable":
		return s.startSession(c, bucket)
	}
	return badRequest("Invalid upload type.")
}

// access serves /storage/v1/b/BUCKET/o and /storage/v1/b/BUCKET/o/OBJECT. An object's name is one
// path segment: a slash that isn't encoded makes another address, as with the real service.
func (s *server) access(c *call, parts []string) answer {
	if len(parts) < 2 || len(parts) > 3 || parts[1] != "o" {
		return text(http.StatusNotFound, "Not Found")
	}
	bucket, wrong := s.enter(c, parts[0])
	if wrong != nil {
		return *wrong
	}
	if len(parts) == 2 {
		return s.list(c, bucket)
	}
	name, err := url.PathUnescape(parts[2])
	if err != nil {
		return badRequest("Invalid object name.")
	}
	switch c.Method {
	case http.MethodGet:
		return s.get(c, bucket, name)
	case http.MethodDelete:
		return s.remove(c, bucket, name)
	}
	return text(http.StatusMethodNotAllowed, "Method Not Allowed")
}
