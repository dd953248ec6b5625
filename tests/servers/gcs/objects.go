package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type object struct {
	bucket, name, kmsKey string
	generation           int64
	meta                 metadata
	data                 []byte
	created              time.Time
}

// metadata is what a client may say about an object in JSON.
type metadata struct {
	Name        string            `json:"name"`
	ContentType string            `json:"contentType"`
	Crc32c      string            `json:"crc32c"`
	Md5Hash     string            `json:"md5Hash"`
	Metadata    map[string]string `json:"metadata"`
}

// insertion is an upload with all its bytes.
type insertion struct {
	bucket, name string
	query        url.Values
	meta         metadata
	data         []byte
	corrupt      bool // store other bytes, without a look at the checksums
}

func crc32cBase64(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func md5Base64(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// resource is the object as the JSON API shows it: 64-bit numbers are strings.
func (o *object) resource() map[string]any {
	r := map[string]any{
		"kind": "storage#object", "bucket": o.bucket, "name": o.name,
		"id":         fmt.Sprintf("%s/%s/%d", o.bucket, o.name, o.generation),
		"generation": strconv.FormatInt(o.generation, 10), "metageneration": "1",
		"size": strconv.Itoa(len(o.data)), "contentType": o.meta.ContentType,
		"crc32c": crc32cBase64(o.data), "md5Hash": md5Base64(o.data), "storageClass": "STANDARD",
		"timeCreated": o.created.UTC().Format(time.RFC3339Nano),
	}
	if len(o.meta.Metadata) > 0 {
		r["metadata"] = o.meta.Metadata
	}
	if o.kmsKey != "" {
		r["kmsKeyName"] = o.kmsKey + "/cryptoKeyVersions/1"
	}
	return r
}

// shown applies ?fields=a,b to an object.
func shown(o *object, query url.Values) map[string]any {
	r := o.resource()
	if fields := query.Get("fields"); fields != "" {
		wanted := map[string]any{}
		for _, name := range split(fields) {
			if value, ok := r[name]; ok {
				wanted[name] = value
			}
		}
		return wanted
	}
	return r
}

// conditionsHold checks ifGenerationMatch and ifGenerationNotMatch; no object has generation 0.
func conditionsHold(query url.Values, o *object) bool {
	var current int64
	if o != nil {
		current = o.generation
	}
	for name, equal := range map[string]bool{"ifGenerationMatch": true, "ifGenerationNotMatch": false} {
		if !query.Has(name) {
			continue
		}
		wanted, err := strconv.ParseInt(query.Get(name), 10, 64)
		if err != nil || (wanted == current) != equal {
			return false
		}
	}
	return true
}

// admit checks what can be checked before any byte has come.
func (s *server) admit(u insertion) *answer {
	refuse := func(a answer) *answer { return &a }
	if u.meta.Name != "" && u.query.Has("name") && u.meta.Name != u.query.Get("name") {
		return refuse(badRequest("Value of name in the metadata doesn't match the one in the query."))
	}
	if u.name == "" {
		return refuse(failure(http.StatusBadRequest, "required", "Required parameter: name"))
	}
	if len(u.name) > 1024 || !utf8.ValidString(u.name) || strings.ContainsAny(u.name, "\r\n") {
		return refuse(badRequest("Disallowed unicode characters present in object name."))
	}
	if !s.rights["storage.objects.create"] {
		return refuse(forbidden("storage.objects.create"))
	}
	if o := s.buckets[u.bucket][u.name]; o != nil && time.Since(o.created) < s.nameInterval {
		return refuse(failure(http.StatusTooManyRequests, "rateLimitExceeded", "The object "+u.bucket+
			"/"+u.name+" exceeded the rate limit for object mutation operations (create, update, and delete)."))
	}
	if !conditionsHold(u.query, s.buckets[u.bucket][u.name]) {
		return refuse(preconditionFailed())
	}
	if s.buckets[u.bucket][u.name] != nil && !s.rights["storage.objects.delete"] {
		return refuse(forbidden("storage.objects.delete"))
	}
	return nil
}

func (s *server) insert(u insertion) answer {
	if refused := s.admit(u); refused != nil {
		return *refused
	}
	if u.corrupt {
		u.data = append([]byte{}, u.data...)
		u.data[len(u.data)/2] ^= 1
		u.meta.Crc32c, u.meta.Md5Hash = "", ""
	}
	if sum := crc32cBase64(u.data); u.meta.Crc32c != "" && u.meta.Crc32c != sum {
		return badRequest(fmt.Sprintf("Provided CRC32C \"%s\" doesn't match calculated CRC32C \"%s\".",
			u.meta.Crc32c, sum))
	}
	if sum := md5Base64(u.data); u.meta.Md5Hash != "" && u.meta.Md5Hash != sum {
		return badRequest(fmt.Sprintf("Provided MD5 hash \"%s\" doesn't match calculated MD5 hash \"%s\".",
			u.meta.Md5Hash, sum))
	}
	s.counter++
	o := &object{
		bucket: u.bucket, name: u.name, kmsKey: u.query.Get("kmsKeyName"),
		generation: time.Now().UnixMicro()*1000 + s.counter, // above 2^53, as real ones
		meta:       u.meta, data: u.data, created: time.Now(),
	}
	if o.meta.ContentType == "" {
		o.meta.ContentType = "application/octet-stream"
	}
	s.buckets[u.bucket][u.name] = o
	return jsonAnswer(http.StatusOK, shown(o, u.query))
}

func (s *server) insertMultipart(c *call, bucket string) answer {
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || parameters["boundary"] == "" {
		return badRequest("Multipart content type must be multipart/related with a boundary.")
	}
	parts := multipart.NewReader(bytes.NewReader(c.body), parameters["boundary"])
	u := insertion{bucket: bucket, query: c.query, corrupt: c.rule.Do == "corrupt-stored"}
	description, err := parts.NextRawPart()
	if err != nil || !strings.HasPrefix(description.Header.Get("Content-Type"), "application/json") {
		return badRequest("Malformed multipart body: the first part must be JSON.")
	}
	if err := json.NewDecoder(description).Decode(&u.meta); err != nil {
		return failure(http.StatusBadRequest, "parseError", "Parse Error")
	}
	media, err := parts.NextRawPart()
	if err != nil {
		return badRequest("Malformed multipart body.")
	}
	if u.data, err = io.ReadAll(media); err != nil {
		return badRequest("Malformed multipart body.")
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		return badRequest("Malformed multipart body: there must be two parts.")
	}
	said := media.Header.Get("Content-Type")
	if u.meta.ContentType != "" && said != "" && u.meta.ContentType != said {
		return badRequest("Content-Type of the media part doesn't match contentType in the metadata.")
	}
	if u.meta.ContentType == "" {
		u.meta.ContentType = said
	}
	u.name = c.query.Get("name")
	if u.name == "" {
		u.name = u.meta.Name
	}
	return s.insert(u)
}

func (s *server) createBucket(c *call) answer {
	var wanted struct{ Name string }
	if json.Unmarshal(c.body, &wanted) != nil || wanted.Name == "" {
		return badRequest("Invalid bucket name.")
	}
	if s.buckets[wanted.Name] != nil {
		return failure(http.StatusConflict, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	s.buckets[wanted.Name] = map[string]*object{}
	return jsonAnswer(http.StatusOK, map[string]string{"kind": "storage#bucket", "name": wanted.Name})
}

func (s *server) get(c *call, bucket, name string) answer {
	if !s.rights["storage.objects.get"] {
		return forbidden("storage.objects.get")
	}
	o := s.buckets[bucket][name]
	if o == nil {
		return failure(http.StatusNotFound, "notFound", "No such object: "+bucket+"/"+name)
	}
	if !conditionsHold(c.query, o) {
		return preconditionFailed()
	}
	if c.query.Get("alt") == "media" {
		a := answer{http.StatusOK, http.Header{}, o.data}
		a.header.Add("x-goog-hash", "crc32c="+crc32cBase64(o.data))
		a.header.Add("x-goog-hash", "md5="+md5Base64(o.data))
		return a.with("Content-Type", o.meta.ContentType).
			with("x-goog-generation", strconv.FormatInt(o.generation, 10))
	}
	return jsonAnswer(http.StatusOK, shown(o, c.query))
}

func (s *server) remove(c *call, bucket, name string) answer {
	if !s.rights["storage.objects.delete"] {
		return forbidden("storage.objects.delete")
	}
	o := s.buckets[bucket][name]
	if o == nil {
		return failure(http.StatusNotFound, "notFound", "No such object: "+bucket+"/"+name)
	}
	if !conditionsHold(c.query, o) {
		return preconditionFailed()
	}
	delete(s.buckets[bucket], name)
	return empty(http.StatusNoContent)
}

// list gives pages of maxResults names in byte order; the page token is the last name of the page.
func (s *server) list(c *call, bucket string) answer {
	if !s.rights["storage.objects.list"] {
		return forbidden("storage.objects.list")
	}
	limit, err := strconv.Atoi(c.query.Get("maxResults"))
	if err != nil || limit <= 0 || limit > 1000 {
		limit = 1000
	}
	after, _ := base64.URLEncoding.DecodeString(c.query.Get("pageToken"))
	var names []string
	for name := range s.buckets[bucket] {
		if strings.HasPrefix(name, c.query.Get("prefix")) && name > string(after) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	page := map[string]any{"kind": "storage#objects"}
	if len(names) > limit {
		names = names[:limit]
		page["nextPageToken"] = base64.URLEncoding.EncodeToString([]byte(names[limit-1]))
	}
	var items []any
	for _, name := range names {
		items = append(items, s.buckets[bucket][name].resource())
	}
	if items != nil {
		page["items"] = items
	}
	return jsonAnswer(http.StatusOK, page)
}
