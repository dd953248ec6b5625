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
	name, keyID, refresh         string
	subject, stsClient, universe string
	lifetime                     time.Duration
	key                          *rsa.PublicKey

	mutex   sync.Mutex
	count   int
	expiry  map[string]time.Time
	scope   map[string]string // of the tokens given out
	cached  string            // what the metadata server hands out
	revoked bool              // the plain name counts no more
}

func newTokens(o options) (*tokens, error) {
	t := &tokens{name: o.token, keyID: o.keyID, refresh: o.refresh, lifetime: o.lifetime,
		subject: o.subject, stsClient: o.stsClient, universe: o.universe,
		expiry: map[string]time.Time{}, scope: map[string]string{}}
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

func (t *tokens) issue(scope string) string {
	t.count++
	token := fmt.Sprintf("%s-%d", t.name, t.count)
	t.scope[token] = scope
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
	if token, ok := strings.CutPrefix(header, "Bearer "); ok && (t.valid(token) || t.selfSigned(token)) {
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
	if c.URL.Path == "/computeMetadata/v1/universe/universe-domain" && t.universe != "" {
		return text(http.StatusOK, t.universe).with("Metadata-Flavor", "Google")
	}
	if c.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
		return text(http.StatusNotFound, "Not Found").with("Metadata-Flavor", "Google")
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.cached == "" || !t.valid(t.cached) {
		t.cached = t.issue(c.query.Get("scopes"))
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
	scope := cloudScope // of a person who logged in
	switch form.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		scheme := "http"
		if c.TLS != nil {
			scheme = "https"
		}
		claims, err := t.verify(form.Get("assertion"), scheme+"://"+c.Host+"/token")
		switch {
		case err != nil:
			return refused("invalid_grant", err.Error())
		case !strings.HasPrefix(claims.Scope, "https://www.googleapis.com/auth/"):
			return refused("invalid_grant", "Invalid OAuth scope or ID token audience provided.")
		}
		scope = claims.Scope
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
	return t.granted(t.issue(scope))
}

// decodeSegment reads a part of a JWT: base64url without padding around JSON.
func decodeSegment(segment string, value any) error {
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes, value)
}

// claims are those of a JWT that a service account signed.
type claims struct {
	Iss, Sub, Scope, Aud string
	Iat, Exp             int64
}

// verify checks a service account's JWT (RFC 7523) with the public key.
func (t *tokens) verify(jwt, audience string) (c claims, err error) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return c, errors.New("Invalid JWT: it needs three parts.")
	}
	var header struct{ Alg, Typ, Kid string }
	if decodeSegment(parts[0], &header) != nil || decodeSegment(parts[1], &c) != nil {
		return c, errors.New("Invalid JWT: malformed.")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || header.Alg != "RS256" || header.Typ != "JWT" {
		return c, errors.New("Invalid JWT: malformed signature or header.")
	}
	if t.keyID != "" && header.Kid != t.keyID {
		return c, errors.New("Invalid JWT: unknown kid.")
	}
	if t.key == nil {
		return c, errors.New("Invalid JWT: the server was started without -public-key.")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(t.key, crypto.SHA256, digest[:], signature) != nil {
		return c, errors.New("Invalid JWT Signature.")
	}
	now := time.Now().Unix()
	switch {
	case c.Iss == "":
		return c, errors.New("Invalid JWT: iss is missing.")
	case c.Aud != audience:
		return c, errors.New("Invalid JWT: aud must be " + audience + ".")
	case c.Iat > now+60 || c.Exp <= now || c.Exp > c.Iat+3600:
		return c, errors.New("Invalid JWT: Token must be a short-lived token (60 minutes) and in a " +
			"reasonable timeframe. Check your iat and exp values in the JWT claim.")
	}
	return c, nil
}
