package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// answer is a response as a value, so that faults can change, cut or lose it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) with(name, value string) answer {
	a.header.Set(name, value)
	return a
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

func empty(status int) answer { return answer{status: status, header: http.Header{}} }

func text(status int, body string) answer {
	return answer{status, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, []byte(body)}
}

func jsonAnswer(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return text(http.StatusInternalServerError, err.Error())
	}
	return answer{status, http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body}
}

// failure is the error body of the JSON API.
func failure(status int, reason, message string) answer {
	item := map[string]string{"message": message, "domain": "global", "reason": reason}
	return jsonAnswer(status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{item},
	}})
}

func badRequest(message string) answer { return failure(http.StatusBadRequest, "invalid", message) }

func preconditionFailed() answer {
	return failure(http.StatusPreconditionFailed, "conditionNotMet",
		"At least one of the pre-conditions you specified did not hold.")
}

func forbidden(right string) answer {
	return failure(http.StatusForbidden, "forbidden", "tester@example.com does not have "+right+
		" access to the Google Cloud Storage object. Permission '"+right+
		"' denied on resource (or it may not exist).")
}
