package simulator

import (
	"net/http"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// refuse answers in JSON for the API and in plain text otherwise.
func refuse(w http.ResponseWriter, r *http.Request, status int, reason jpayment.Text) {
	if strings.HasPrefix(r.URL.Path, "/control/") {
		refuseJSON(w, r, &refusal{status, reason})
		return
	}
	http.Error(w, in(languageOf(r), reason), status)
}
