package scscompat_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	scsmem "github.com/alexedwards/scs/v2/memstore"
)

const puts = 200

// atOnce has so many requests of one session read it, and then each put a key of its own.
func atOnce(t *testing.T, m manager) (kept int) {
	token := begin(t, m)
	var loaded, done sync.WaitGroup
	loaded.Add(puts)
	for i := range puts {
		done.Go(func() {
			ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) {
				if m.GetString(ctx, "message") != "hello" {
					t.Error("the session is not there")
				}
				loaded.Done()
				loaded.Wait()
				m.Put(ctx, fmt.Sprint("key", i), i)
			})
		})
	}
	done.Wait()
	ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) { kept = len(m.Keys(ctx)) - 1 })
	return kept
}

// 200 requests at once that put different keys keep 200, on a store of Sojourn's, and on one of scs's as long as one
// process serves them. With scs the last one to write wins.
func TestConcurrentPutsAreKept(t *testing.T) {
	if kept := atOnce(t, newTheirs(fields{})); kept == puts {
		t.Errorf("scs has kept all %d: then it is no difference any more", kept)
	} else {
		t.Logf("scs has kept %d of %d", kept, puts)
	}
	if kept := atOnce(t, newOurs(fields{})); kept != puts {
		t.Errorf("kept %d of %d", kept, puts)
	}
	if kept := atOnce(t, newOurs(fields{store: scsmem.NewWithCleanupInterval(0)})); kept != puts {
		t.Errorf("on scs's store kept %d of %d", kept, puts)
	}
}
