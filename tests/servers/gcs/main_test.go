package main

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tester sends requests to a server of its own.
type tester struct {
	*testing.T
	base   string
	server *server
	bearer string
}

func start(t *testing.T, o options) *tester {
	t.Helper()
	if o.buckets == "" {
		o.buckets = "bucket"
	}
	if o.rights == "" {
		o.rights = "create,get,list,delete"
	}
	s, err := newServer(o)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := httpServer(s)
	go h.Serve(listener)
	t.Cleanup(func() { h.Close() })
	return &tester{T: t, base: "http://" + listener.Addr().String(), server: s}
}

// try sends one request on a connection of its own; headers come as "Name: value".
func (t *tester) try(method, path, body string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = t.base + path
	}
	q, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if t.bearer != "" {
		q.Header.Set("Authorization", "Bearer "+t.bearer)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		q.Header.Set(name, value)
	}
	q.Close = true
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	r, err := client.Do(q)
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	return r, string(content), err
}

func (t *tester) expect(status int, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, content, err := t.try(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if r.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.StatusCode, status, content)
	}
	return r, content
}

func (t *tester) expectBroken(method, path, body string, headers ...string) {
	t.Helper()
	if r, _, err := t.try(method, path, body, headers...); err == nil {
		t.Fatalf("%s %s: status %d, want a broken connection", method, path, r.StatusCode)
	}
}

func (t *tester) rules(script string) {
	t.Helper()
	t.expect(204, "POST", "/_control/rules", script)
}

const insertPath = "/upload/storage/v1/b/bucket/o?uploadType=multipart&name=a%2Fb&ifGenerationMatch=0"
const multipartType = "Content-Type: multipart/related; boundary=B"
const digits = "123456789"
const digitsCrc32c = "4waSgw==" // 0xe3069283

func multipartBody(crc32c, data string) string {
	return "--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n" +
		`{"crc32c":"` + crc32c + `","metadata":{"k":"v"}}` +
		"\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n" + data + "\r\n--B--\r\n"
}

func TestMultipart(t *testing.T) {
	s := start(t, options{})
	_, wrong := s.expect(400, "POST", insertPath, multipartBody("AAAAAA==", digits), multipartType)
	if !strings.Contains(wrong, "calculated CRC32C") {
		t.Error(wrong)
	}
	_, content := s.expect(200, "POST", insertPath, multipartBody(digitsCrc32c, digits), multipartType)
	var o struct{ Name, Size, Generation, Crc32c string }
	if err := json.Unmarshal([]byte(content), &o); err != nil {
		t.Fatal(err) // also when size or generation is a number
	}
	if o.Name != "a/b" || o.Size != "9" || o.Crc32c != digitsCrc32c {
		t.Error(content)
	}
	_, again := s.expect(412, "POST", insertPath, multipartBody(digitsCrc32c, digits), multipartType)
	if !strings.Contains(again, `"reason":"conditionNotMet"`) {
		t.Error(again)
	}
	replace := strings.Replace(insertPath, "Match=0", "Match="+o.Generation, 1)
	s.expect(200, "POST", replace, multipartBody("", "new"), multipartType)
	if _, media := s.expect(200, "GET", "/storage/v1/b/bucket/o/a%2Fb?alt=media", ""); media != "new" {
		t.Error(media)
	}
	s.expect(404, "GET", "/storage/v1/b/bucket/o/a/b", "") // the slash isn't encoded
	s.expect(404, "GET", "/storage/v1/b/elsewhere/o/x", "")
}

func TestRightsAndUserProject(t *testing.T) {
	s := start(t, options{rights: "create", userProject: "payer"})
	s.expect(400, "POST", insertPath, multipartBody("", digits), multipartType)
	path := insertPath + "&userProject=payer"
	s.expect(200, "POST", path, multipartBody("", digits), multipartType)
	s.expect(412, "POST", path, multipartBody("", digits), multipartType)
	s.expect(403, "GET", "/storage/v1/b/bucket/o/a%2Fb?userProject=payer", "")
	overwrite := strings.Replace(path, "&ifGenerationMatch=0", "", 1)
	s.expect(403, "POST", overwrite, multipartBody("", digits), multipartType)
}

func TestResumable(t *testing.T) {
	s := start(t, options{})
	data := strings.Repeat("0123456789abcdef", 3*quantum/16) + "end"
	total := len(data)
	r, _ := s.expect(200, "POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=big",
		`{"crc32c":"`+crc32cBase64([]byte(data))+`"}`, fmt.Sprintf("X-Upload-Content-Length: %d", total))
	address := r.Header.Get("Location")
	query := fmt.Sprintf("Content-Range: bytes */%d", total)
	span := func(first, last int) string {
		return fmt.Sprintf("Content-Range: bytes %d-%d/%d", first, last, total)
	}

	if r, _ := s.expect(308, "PUT", address, "", query); r.Header.Get("Range") != "" {
		t.Error("nothing is persisted, but there is a Range")
	}
	s.expect(400, "PUT", address, data[:1000], span(0, 999))
	r, _ = s.expect(308, "PUT", address, data[:quantum], span(0, quantum-1))
	if r.Header.Get("Range") != "bytes=0-262143" {
		t.Error(r.Header)
	}
	_, beyond := s.expect(503, "PUT", address, data[2*quantum:], span(2*quantum, total-1))
	if !strings.Contains(beyond, "exceeds already uploaded size of 262144 byte(s)") {
		t.Error(beyond)
	}
	s.rules(`[{"match": "PUT /upload", "do": "persist-only", "bytes": 10, "then": "reset"},
		{"match": "PUT /upload", "skip": 1, "do": "reset-after-bytes", "bytes": 300000}]`)
	s.expectBroken("PUT", address, data[quantum:], span(quantum, total-1))
	r, _ = s.expect(308, "PUT", address, "", query)
	if r.Header.Get("Range") != "bytes=0-262153" {
		t.Error(r.Header)
	}
	s.expectBroken("PUT", address, data[quantum+10:], span(quantum+10, total-1))
	r, _ = s.expect(308, "PUT", address, "", query)
	if r.Header.Get("Range") != "bytes=0-524287" { // whole quanta of what came
		t.Error(r.Header)
	}
	s.expect(200, "PUT", address, data[quantum:], span(quantum, total-1)) // overlapping is fine
	s.expect(200, "PUT", address, "", query)
	if _, media := s.expect(200, "GET", "/storage/v1/b/bucket/o/big?alt=media", ""); media != data {
		t.Error("other content")
	}
}

func TestResumableEnds(t *testing.T) {
	s := start(t, options{})
	open := func() string {
		r, _ := s.expect(200, "POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=x", "")
		return r.Header.Get("Location")
	}
	s.expect(200, "PUT", open(), "", "Content-Range: bytes */0")
	address := open()
	s.expect(499, "DELETE", address, "")
	s.expect(499, "PUT", address, digits, "Content-Range: bytes 0-8/9")
	s.rules(`[{"match": "PUT /upload", "do": "drop-session", "status": 410}]`)
	address = open()
	s.expect(410, "PUT", address, digits, "Content-Range: bytes 0-8/9")
	s.expect(410, "PUT", address, "", "Content-Range: bytes */9")
	s.expect(400, "PUT", open(), digits, "Content-Range: bytes 0-8/9", "X-Goog-Hash: crc32c=AAAAAA==")
	s.expect(200, "PUT", open(), digits) // no Content-Range: the whole object
}

func TestFaults(t *testing.T) {
	s := start(t, options{})
	body := multipartBody("", digits)
	s.rules(`[{"match": "POST /upload", "do": "status", "status": 429, "retryAfter": 2},
		{"match": "POST /upload", "contains": "name=a/b", "do": "reset-before-body"},
		{"match": "POST /upload", "do": "partial-response"},
		{"match": "* /storage", "do": "stall"}]`)
	r, content := s.expect(429, "POST", insertPath, body, multipartType)
	if r.Header.Get("Retry-After") != "2" || !strings.Contains(content, "rateLimitExceeded") {
		t.Error(r.Header, content)
	}
	s.expectBroken("POST", insertPath, body, multipartType)
	if len(s.server.everything()) != 0 {
		t.Error("it was reset before the body, but something is stored")
	}
	s.expectBroken("POST", insertPath, body, multipartType)
	s.expect(412, "POST", insertPath, body, multipartType) // the partial response came after commit

	go http.Get(s.base + "/storage/v1/b/bucket/o") // ends with the server
	s.expect(204, "GET", "/_control/wait?match=GET%20/storage&timeout=10s", "")
	_, content = s.expect(200, "GET", "/_control/log", "")
	var log []entry
	if err := json.Unmarshal([]byte(content), &log); err != nil {
		t.Fatal(err)
	}
	if len(log) != 5 || log[0].Status != 429 || log[0].Body != len(body) || log[1].Status != 0 ||
		log[4].Done || log[4].Fault != "stall" {
		t.Error(content)
	}
	s.expect(400, "POST", "/_control/rules", `[{"do": "explode"}]`)
}

func sign(t *testing.T, key *rsa.PrivateKey, header, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(signature)
}

func TestTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, options{token: "sesame", lifetime: time.Hour, publicKey: file, refresh: "r"})
	s.expect(401, "GET", "/storage/v1/b/bucket/o", "")

	post := func(status int, form url.Values) string {
		t.Helper()
		_, content := s.expect(status, "POST", "/token", form.Encode(),
			"Content-Type: application/x-www-form-urlencoded")
		return content
	}
	jwt := func(aud string) url.Values {
		now := time.Now().Unix()
		claims := fmt.Sprintf(`{"iss":"me@example.com","aud":%q,"iat":%d,"exp":%d,`+
			`"scope":"https://www.googleapis.com/auth/devstorage.read_write"}`, aud, now, now+3600)
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
			"assertion": {sign(t, key, `{"alg":"RS256","typ":"JWT"}`, claims)}}
	}
	good := jwt(s.base + "/token")
	if content := post(200, good); !strings.Contains(content, `"access_token":"sesame-1"`) {
		t.Error(content)
	}
	post(400, jwt("https://elsewhere/token"))
	good.Set("assertion", good.Get("assertion")[:20]+"x"+good.Get("assertion")[21:])
	post(400, good)
	user := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r"}, "client_id": {"i"},
		"client_secret": {"s"}}
	post(200, user)

	path := "/computeMetadata/v1/instance/service-accounts/default/token"
	s.expect(403, "GET", path, "")
	_, first := s.expect(200, "GET", path, "", "Metadata-Flavor: Google")
	if !strings.Contains(first, `"sesame-3"`) {
		t.Error(first)
	}
	s.bearer = "sesame-3"
	s.expect(200, "GET", "/storage/v1/b/bucket/o", "")
	s.expect(204, "POST", "/_control/revoke", "")
	s.expect(401, "GET", "/storage/v1/b/bucket/o", "")
	s.expect(200, "GET", path, "", "Metadata-Flavor: Google")
	s.bearer = "sesame-4"
	s.expect(200, "GET", "/storage/v1/b/bucket/o", "")
}

func TestFederation(t *testing.T) {
	s := start(t, options{token: "sesame", lifetime: time.Hour, subject: "subject", stsClient: "id:s",
		universe: "apis.example"})
	s.expect(403, "GET", "/subject-token", "")
	_, subject := s.expect(200, "GET", "/subject-token", "", "X-Subject: please")
	if subject != "subject\n" {
		t.Error(subject)
	}
	exchange := func(status int, subject, scope string, headers ...string) {
		t.Helper()
		headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
		s.expect(status, "POST", "/v1/token", url.Values{
			"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
			"subject_token_type":   {"urn:ietf:params:oauth:token-type:jwt"},
			"audience":             {"//iam.googleapis.com/x"},
			"scope":                {scope}, "subject_token": {subject},
		}.Encode(), headers...)
	}
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("id:s"))
	exchange(400, "subject", cloudScope)
	exchange(400, "another", cloudScope, basic)
	exchange(200, "subject", "narrow", basic)
	exchange(200, "subject", cloudScope, basic)

	path := "/v1/projects/-/serviceAccounts/a@b:generateAccessToken"
	body := `{"scope":["s"],"lifetime":"3600s"}`
	broad := "Authorization: Bearer sesame-2"
	s.expect(403, "POST", path, body)
	s.expect(403, "POST", path, body, "Authorization: Bearer sesame-1")
	s.expect(400, "POST", path, `{"scope":["s"],"lifetime":"3601s"}`, broad)
	s.expect(400, "POST", path, `{"scope":["s"],"lifetime":"9s","delegates":["a@b"]}`, broad)
	_, content := s.expect(200, "POST", path, body, broad)
	if !strings.Contains(content, `"accessToken":"sesame-3"`) {
		t.Error(content)
	}
	s.expect(200, "GET", "/storage/v1/b/bucket/o", "", "Authorization: Bearer sesame-3")
	_, universe := s.expect(200, "GET", "/computeMetadata/v1/universe/universe-domain", "",
		"Metadata-Flavor: Google")
	if universe != "apis.example" {
		t.Error(universe)
	}
}

func TestProxy(t *testing.T) {
	s := start(t, options{})
	s.server.behindProxy = strings.TrimPrefix(s.base, "http://")
	conn, err := net.Dial("tcp", s.server.behindProxy)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	ask := func(method, target string) {
		t.Helper()
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: far.example:443\r\n\r\n", method, target)
		r, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil || r.StatusCode != 200 {
			t.Fatal(r, err)
		}
	}
	ask("CONNECT", "far.example:443")
	ask("GET", "/storage/v1/b/bucket/o")
	_, log := s.expect(200, "GET", "/_control/log", "")
	if !strings.Contains(log, `"path":"far.example:443"`) {
		t.Error(log)
	}
}

func TestDamageIsDoneAsScripted(t *testing.T) {
	s := start(t, options{nameInterval: time.Hour})
	insert := func(name string) (*http.Response, string, error) {
		return s.try("POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name="+name, "content")
	}
	script := func(rule string) {
		if err := s.server.faults.add([]byte("[" + rule + "]")); err != nil {
			t.Fatal(err)
		}
	}
	script(`{"match":"POST /upload","do":"corrupt"}`)
	if r, body, err := insert("a"); err != nil || r.StatusCode != 200 ||
		strings.Contains(body, crc32cBase64([]byte("content"))) {
		t.Error("the body arrived undamaged: ", body, err)
	}
	script(`{"match":"POST /upload","do":"cut-response","bytes":20}`)
	if _, _, err := insert("b"); err == nil {
		t.Error("20 bytes passed for an answer")
	}
	script(`{"match":"GET /storage","do":"cut-response","bytes":100000}`)
	if r, _, err := s.try("GET", "/storage/v1/b/bucket/o/b", ""); err != nil || r.StatusCode != 200 {
		t.Error("the whole answer was lost: ", err)
	}
	if r, _, err := insert("b"); err != nil || r.StatusCode != 429 {
		t.Error("a name was written twice within the interval: ", err)
	}
}
