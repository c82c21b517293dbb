package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// assetURLs gives each static file a URL that changes when the file does, so that browsers may keep
// it for good.
func assetURLs() (map[string]string, error) {
	files, err := fs.Glob(ui, "ui/static/*")
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for _, file := range files {
		data, err := ui.ReadFile(file)
		if err != nil {
			return nil, err
		}
		urls[path.Base(file)] = "/static/" + path.Base(file) + "?v=" + digest(data)
	}
	return urls, nil
}

func assetURL(urls map[string]string, name string) (string, error) {
	if u, ok := urls[name]; ok {
		return u, nil
	}
	return "", fmt.Errorf("there is no static file %q", name)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// static serves the files that pages need. They are outside the session middleware, though inside
// they would cost no query either.
func (app *application) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	data, err := ui.ReadFile(path.Join("ui/static", path.Base(name)))
	if err != nil {
		app.errorPage(w, r, http.StatusNotFound)
		return
	}
	tag := digest(data)
	w.Header().Set("Etag", `"`+tag+`"`)
	if r.URL.Query().Get("v") == tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}
