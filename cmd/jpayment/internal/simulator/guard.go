package simulator

import (
	"net/http"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// refuse answers in the shape that the caller reads.
func refuse(w http.ResponseWriter, r *http.Request, status int, reason jpayment.Text) {
	if strings.HasPrefix(r.URL.Path, "/control/") {
		refuseJSON(w, r, &refusal{status, reason})
		return
	}
	http.Error(w, in(languageOf(r), reason), status)
}
