package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const cloudScope = "https://www.googleapis.com/auth/cloud-platform"

// giveSubject plays another identity provider; ?format=json puts the token into an object.
func (t *tokens) giveSubject(c *call) answer {
	if c.Header.Get("X-Subject") != "please" {
		return text(http.StatusForbidden, "X-Subject is missing.")
	}
	if c.query.Get("format") == "json" {
		return jsonAnswer(http.StatusOK, map[string]string{"id": t.subject})
	}
	return text(http.StatusOK, t.subject+"\n")
}

// federate plays https://sts.googleapis.com/v1/token (RFC 8693).
func (t *tokens) federate(c *call) answer {
	form, err := url.ParseQuery(string(c.body))
	id, secret, _ := c.BasicAuth()
	switch {
	case err != nil || c.Method != http.MethodPost ||
		!strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return refused("invalid_request", "Not a form.")
	case form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange":
		return refused("unsupported_grant_type", "Invalid grant_type.")
	case !strings.HasPrefix(form.Get("audience"), "//iam.googleapis.com/"):
		return refused("invalid_request", "Invalid value for \"audience\".")
	case form.Get("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token" ||
		form.Get("subject_token_type") == "":
		return refused("invalid_request", "Invalid token type.")
	case t.stsClient != "" && id+":"+secret != t.stsClient:
		return refused("invalid_client", "The OAuth client was not found.")
	case t.subject == "" || form.Get("subject_token") != t.subject:
		return refused("invalid_grant", "The given token "+form.Get("subject_token")+" is wrong.")
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.granted(t.issue(form.Get("scope")))
}

// impersonate plays https://iamcredentials.googleapis.com/v1/…:generateAccessToken.
func (t *tokens) impersonate(c *call) answer {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	token := strings.TrimPrefix(c.Header.Get("Authorization"), "Bearer ")
	var request struct {
		Scope     []string
		Lifetime  string
		Delegates []string
	}
	decoder := json.NewDecoder(strings.NewReader(string(c.body)))
	decoder.DisallowUnknownFields()
	lifetime, err := time.Duration(0), decoder.Decode(&request)
	if err == nil {
		lifetime, err = time.ParseDuration(request.Lifetime)
	}
	switch {
	case !t.valid(token) || t.scope[token] != cloudScope:
		return failure(http.StatusForbidden, "forbidden",
			"Request had insufficient authentication scopes.")
	case err != nil || len(request.Scope) == 0 || lifetime > time.Hour:
		return badRequest("Request contains an invalid argument.")
	}
	for _, delegate := range request.Delegates {
		if !strings.HasPrefix(delegate, "projects/-/serviceAccounts/") {
			return badRequest("Invalid form of account ID " + delegate + ".")
		}
	}
	given := t.issue(strings.Join(request.Scope, " "))
	return jsonAnswer(http.StatusOK, map[string]string{
		"accessToken": given, "expireTime": t.expiry[given].UTC().Format(time.RFC3339)})
}

// selfSigned says whether storage takes the token as a JWT that a service account signed for it.
func (t *tokens) selfSigned(token string) bool {
	if t.universe == "" || t.key == nil {
		return false
	}
	claims, err := t.verify(token, "https://storage."+t.universe+"/")
	return err == nil && claims.Sub == claims.Iss && claims.Scope == ""
}
