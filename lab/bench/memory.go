package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/peers"
	"github.com/gosojourn/sojourn/memstore"
)

// measureMemory is of what both stores are handed as 183 bytes, and of whole sessions with one value of that
// size, to which scs adds what gob writes, and Sojourn hashes, times and the versions before.
func measureMemory(o options) ([]result, error) {
	sessions := 200_000
	if o.quick {
		sessions = 50_000
	}
	const size = 183
	expiry := time.Now().Add(time.Hour)
	per := func(store any, add func()) float64 {
		before := heap()
		for range sessions {
			add()
		}
		after := heap()
		runtime.KeepAlive(store)
		return float64(after-before) / float64(sessions)
	}
	var failed error
	var ours sojourn.Store = memstore.New()
	stored := per(ours, func() {
		r := sojourn.Record{ID: token(18), Expiry: expiry, Seen: expiry, Version: 1, Data: make([]byte, size)}
		if err := ours.Create(context.Background(), r); err != nil {
			failed = err
		}
	})
	var theirs scs.Store = scsmem.NewWithCleanupInterval(0)
	theirStored := per(theirs, func() {
		if err := theirs.Commit(token(32), make([]byte, size), expiry); err != nil {
			failed = err
		}
	})
	if failed != nil {
		return nil, failed
	}
	value := strings.Repeat("v", size)
	visit := func(x peers.Library) func() {
		return newClient(x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x.Put(w, r, peers.KeyName(0), value)
		})), "POST", "").once
	}
	ours = memstore.New()
	whole := per(ours, visit(peers.SojournOn(ours, 20*time.Minute)))
	theirs = scsmem.NewWithCleanupInterval(0)
	theirWhole := per(theirs, visit(peers.SCSOn(theirs, 20*time.Minute)))
	return []result{
		{Name: "memory of a session in memstore, 183 bytes handed to it", Value: stored, AtMost: 300, Measure: "bytes", Unit: "memory", Note: fmt.Sprintf("scs %.0f", theirStored)},
		{Name: "memory of a session in memstore, whole, a value of 183 bytes", Value: whole, Measure: "bytes", Unit: "memory", Note: fmt.Sprintf("scs %.0f", theirWhole)},
	}, nil
}

func token(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first one may have left unswept what it found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
