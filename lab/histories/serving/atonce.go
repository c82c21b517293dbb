package serving

import "net/http"

// atOnce lets n requests at a time through, the others behind them in the order in which they came; 0: all. Whoever
// leaves while he waits has asked for nothing yet. docs/operations.md shows the same.
func atOnce(n int, next http.Handler) http.Handler {
	if n == 0 {
		return next
	}
	places := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			if r.Context().Err() == nil {
				next.ServeHTTP(w, r)
			}
		case <-r.Context().Done():
		}
	})
}
