package api

import (
	"encoding/json"
	"net/http"
	"path/filepath"
)

// maxAsked is how many bytes a request of the owner may have.
const maxAsked = 64 << 10

// Owner gives the handler of what only the owner of the data directory may
// ask, without a token: whoever can reach it is the owner. It is to be served
// where nobody else can, on a socket in the data directory. There is one thing:
// POST /api/backup {"dir": "/an/absolute/folder"}, for the command `backup`, which
// cannot take the lock of a data directory that is being served.
func Owner(rooms Rooms) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/backup", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Dir string `json:"dir"`
		}
		switch err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&asked); {
		case err != nil:
			refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		case !filepath.IsAbs(asked.Dir):
			// The server's working folder is none of the caller's business.
			refuse(w, http.StatusUnprocessableEntity, "dir is to be an absolute path")
			return
		}
		if err := rooms.Backup(r.Context(), asked.Dir); err != nil {
			refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
