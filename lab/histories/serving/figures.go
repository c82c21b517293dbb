package serving

import (
	"encoding/json"
	"net/http"
	"runtime/metrics"
)

// Figures are what a process has of its own, asked for at /figures.
type Figures struct {
	Goroutines uint64
	Memory     uint64 // bytes that it has from the operating system
}

func withFigures(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/figures" {
			next.ServeHTTP(w, r)
			return
		}
		s := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		_ = json.NewEncoder(w).Encode(Figures{s[0].Value.Uint64(), s[1].Value.Uint64() - s[2].Value.Uint64()})
	})
}

// Figures asks the process.
func (p *Process) Figures() (f Figures, err error) {
	res, err := http.Get(p.URL + "/figures")
	if err != nil {
		return f, err
	}
	defer res.Body.Close()
	return f, json.NewDecoder(res.Body).Decode(&f)
}
