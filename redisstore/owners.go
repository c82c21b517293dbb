package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// page is how many sessions of an owner are asked for at once.
const page = 200

var errNoOwner = fmt.Errorf("%w: the owner is empty", sojourn.ErrRefused)

// tag keeps an owner's keys in one slot of a Cluster, whatever characters the owner is made of.
func tag(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return "{" + base64.RawURLEncoding.EncodeToString(sum[:18]) + "}"
}

func (s *Store) ownerKey(owner string) string { return s.o.Prefix + "o:" + tag(owner) }
func (s *Store) fenceKey(owner string) string { return s.o.Prefix + "f:" + tag(owner) }

// list adds id to the owner's sessions before the session is the owner's, so that a revocation finds
// it, for twice as long as the session is to live: activity extends sessions, and only every other
// time the index as well. It answers until when.
func (s *Store) list(ctx context.Context, owner, id string, expiry, now int64) (until int64, err error) {
	until = min(expiry+max(expiry-now, 0), maxMillis)
	return until, s.run(ctx, listScript, s.ownerKey(owner), decimal(now), decimal(until), id).Error()
}

// ListOwner yields the live sessions of owner, and reads a page at a time. (promise 15)
func (s *Store) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	const op = "list owner"
	return func(yield func(sojourn.Record, error) bool) {
		for ids, err := range s.members(ctx, owner) {
			var all []sojourn.Record
			if err == nil {
				all, err = s.loadAll(ctx, ids)
			}
			if err != nil {
				yield(sojourn.Record{}, failed(op, err))
				return
			}
			for i := range all {
				if all[i].Owner == owner && !yield(all[i], nil) {
					return
				}
			}
		}
	}
}

// loadAll reads the sessions that are there.
func (s *Store) loadAll(ctx context.Context, ids []string) (all []sojourn.Record, err error) {
	cmds := make(rueidis.Commands, 0, len(ids))
	for _, id := range ids {
		cmds = append(cmds, s.client.B().Get().Key(s.key(id)).Build())
	}
	for i, answer := range s.guard.doMulti(ctx, cmds...) {
		r, err := s.read(ids[i], answer)
		if errors.Is(err, sojourn.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// members yields the ids that the index has of owner, each once, in pages.
func (s *Store) members(ctx context.Context, owner string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if owner == "" {
			yield(nil, errNoOwner)
			return
		}
		key, cursor, seen := s.ownerKey(owner), uint64(0), make(map[string]struct{})
		for {
			e, err := s.guard.do(ctx, s.client.B().Zscan().Key(key).Cursor(cursor).Count(page).Build()).AsScanEntry()
			if err != nil {
				yield(nil, err)
				return
			}
			var ids []string
			for i := 0; i+1 < len(e.Elements); i += 2 { // each with its score
				id := e.Elements[i]
				if _, twice := seen[id]; !twice && wellFormed(id) {
					seen[id] = struct{}{}
					ids = append(ids, id)
				}
			}
			for len(ids) > 0 {
				n := min(page, len(ids)) // a small index comes as a whole, whatever was asked for
				if !yield(ids[:n], nil) {
					return
				}
				ids = ids[n:]
			}
			if cursor = e.Cursor; cursor == 0 {
				return
			}
		}
	}
}

// RevokeOwner raises the fence of owner, and then deletes the owner's sessions except keep. When it returns
// an error, the fence is 0 if it may not have been raised. (promise 16)
func (s *Store) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	const op = "revoke owner"
	if owner == "" {
		return 0, failed(op, errNoOwner)
	}
	fence, err := s.raise(ctx, owner)
	if err != nil {
		return 0, failed(op, err)
	}
	now := decimal(time.Now().UnixMilli())
	for ids, err := range s.members(ctx, owner) {
		if err == nil {
			err = s.deleteAll(ctx, owner, keep, now, ids)
		}
		if err != nil { // not a refusal, whatever it was: the fence is raised
			return fence, fmt.Errorf("redisstore: %s: %w", op, err)
		}
	}
	return fence, nil
}

// deleteAll deletes those of ids that are the owner's, and then their entries. An entry without a session may be
// that of a login which began after the fence was raised and writes its session next: it stays, and goes by
// its score.
func (s *Store) deleteAll(ctx context.Context, owner, keep, now string, ids []string) error {
	var gone []string
	for _, id := range ids {
		if id == keep {
			continue
		}
		s.changing(id)
		deleted, err := s.run(ctx, deleteOwnedScript, s.key(id), "", now, owner).AsInt64()
		if err != nil {
			return err
		}
		s.changing(id)
		if deleted == 1 {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.guard.do(ctx, s.client.B().Zrem().Key(s.ownerKey(owner)).Member(gone...).Build()).Error()
}
