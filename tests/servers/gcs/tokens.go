package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// tokens gives out bearer tokens and checks them. With no name it checks nothing.
type tokens struct {
	name, keyID, refresh string
	lifetime             time.Duration
	key                  *rsa.PublicKey

	mutex   sync.Mutex
	count   int
	expiry  map[string]time.Time
	cached  string // what the metadata server hands out
	revoked bool   // the plain name counts no more
}

func newTokens(o options) (*tokens, error) {
	t := &tokens{name: o.token, keyID: o.keyID, refresh: o.refresh, lifetime: o.lifetime,
		expiry: map[string]time.Time{}}
	if o.publicKey == "" {
		return t, nil
	}
	text, err := os.ReadFile(o.publicKey)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("-public-key: no PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("-public-key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("-public-key: not an RSA key")
	}
	t.key = key
	return t, nil
}

func (t *tokens) issue() string {
	t.count++
	token := fmt.Sprintf("%s-%d", t.name, t.count)
	t.expiry[token] = time.Now().Add(t.lifetime)
	return token
}

func (t *tokens) valid(token string) bool {
	return time.Now().Before(t.expiry[token]) || (token == t.name && !t.revoked)
}

func (t *tokens) revoke() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.expiry = map[string]time.Time{}
	t.revoked = true
}

// authorize returns the refusal of a request to storage, or nil.
func (t *tokens) authorize(c *call) *answer {
	if t.name == "" {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	header := c.Header.Get("Authorization")
	if header == "" && c.query.Has("upload_id") {
		return nil // to know a session's address is the permission
	}
	if token, ok := strings.CutPrefix(header, "Bearer "); ok && t.valid(token) {
		return nil
	}
	a := failure(http.StatusUnauthorized, "authError", "Invalid Credentials")
	if header == "" {
		a = failure(http.StatusUnauthorized, "required", "Anonymous caller does not have "+
			"storage.objects access to the Google Cloud Storage bucket.")
	}
	a = a.with("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	return &a
}

func (t *tokens) granted(token string) answer {
	return jsonAnswer(http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer",
		"expires_in": int(time.Until(t.expiry[token]).Round(time.Second).Seconds()),
	})
}

// metadata plays the metadata server, which gives the same token as long as it is valid.
func (t *tokens) metadata(c *call) answer {
	if c.Header.Get("Metadata-Flavor") != "Google" {
		return text(http.StatusForbidden, "Missing Metadata-Flavor:Google header.")
	}
	if c.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
		return text(http.StatusNotFound, "Not Found").with("Metadata-Flavor", "Google")
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.cached == "" || !t.valid(t.cached) {
		t.cached = t.issue()
	}
	return t.granted(t.cached).with("Metadata-Flavor", "Google")
}

func refused(code, description string) answer {
	return jsonAnswer(http.StatusBadRequest, map[string]string{
		"error": code, "error_description": description})
}

// exchange plays https://oauth2.googleapis.com/token.
func (t *tokens) exchange(c *call) answer {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || c.Method != http.MethodPost ||
		!strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return refused("invalid_request", "Not a form.")
	}
	switch form.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		scheme := "http"
		if c.TLS != nil {
			scheme = "https"
		}
		if err := t.verify(form.Get("assertion"), scheme+"://"+c.Host+"/token"); err != nil {
			return refused("invalid_grant", err.Error())
		}
	case "refresh_token":
		if form.Get("client_id") == "" || form.Get("client_secret") == "" {
			return refused("invalid_client", "The OAuth client was not found.")
		}
		if form.Get("refresh_token") != t.refresh {
			return refused("invalid_grant", "Token has been expired or revoked.")
		}
	default:
		return refused("unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.granted(t.issue())
}

// decodeSegment reads a part of a JWT: base64url without padding around JSON.
func decodeSegment(segment string, value any) error {
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes, value)
}

// verify checks a service account's JWT (RFC 7523) with the public key.
func (t *tokens) verify(jwt, audience string) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return errors.New("Invalid JWT: it needs three parts.")
	}
	var header struct{ Alg, Typ, Kid string }
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	if decodeSegment(parts[0], &header) != nil || decodeSegment(parts[1], &claims) != nil {
		return errors.New("Invalid JWT: malformed.")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || header.Alg != "RS256" || header.Typ != "JWT" {
		return errors.New("Invalid JWT: malformed signature or header.")
	}
	if t.keyID != "" && header.Kid != t.keyID {
		return errors.New("Invalid JWT: unknown kid.")
	}
	if t.key == nil {
		return errors.New("Invalid JWT: the server was started without -public-key.")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(t.key, crypto.SHA256, digest[:], signature) != nil {
		return errors.New("Invalid JWT Signature.")
	}
	now := time.Now().Unix()
	switch {
	case claims.Iss == "":
		return errors.New("Invalid JWT: iss is missing.")
	case !strings.HasPrefix(claims.Scope, "https://www.googleapis.com/auth/"):
		return errors.New("Invalid OAuth scope or ID token audience provided.")
	case claims.Aud != audience:
		return errors.New("Invalid JWT: aud must be " + audience + ".")
	case claims.Iat > now+60 || claims.Exp <= now || claims.Exp > claims.Iat+3600:
		return errors.New("Invalid JWT: Token must be a short-lived token (60 minutes) and in a " +
			"reasonable timeframe. Check your iat and exp values in the JWT claim.")
	}
	return nil
}
