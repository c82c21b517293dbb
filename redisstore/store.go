package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// A Store keeps sessions in Redis. It implements [sojourn.Store], [sojourn.OwnerIndex], [sojourn.EveryoneRevoker], [sojourn.Lister],
// [sojourn.Checker] and [sojourn.Near]. It is safe for concurrent use and starts no goroutine. Redis deletes what has expired,
// so there is nothing to sweep.
type Store struct {
	client    rueidis.Client
	o         Options
	written   recently // ids that a copy nearby may be older than
	doubtful  recently // ids that may not have got to the replicas
	guard     guard
	everyones everyones
	plainly   atomic.Bool // the server does not know, or the user may not use, scripts that only read
}

// Options change how a Store uses Redis. The zero value keeps sessions under "sojourn:", uses no copies and
// waits for no replica.
type Options struct {
	// Prefix begins every key. Refused: braces, by which Cluster decides where a key is kept. Default:
	// "sojourn:".
	Prefix string

	// Near keeps copies of what was read in this process, each for at most this long. Requests that change
	// nothing may see another process's logout later by this much; mostly they see it within milliseconds,
	// because Redis tells when a copy is out of date. rueidis.ClientOption.CacheSizeEachConn bounds the
	// memory. Refused: more than 2s. Default: 0, no copies.
	Near time.Duration

	// WaitReplicas is how many replicas must have a write before it counts. Without it, a primary that fails
	// loses what it answered in its last moments, and somebody who logged out then may be logged in again.
	// Default: 0.
	WaitReplicas int

	// WaitTimeout is how long to wait for the replicas. Default: 1s.
	WaitTimeout time.Duration
}

const (
	maxNear = 2 * time.Second

	// slowAnswer: a copy that was asked for before a write may come in after that was answered.
	slowAnswer = 250 * time.Millisecond
)

var (
	_ sojourn.Store           = (*Store)(nil)
	_ sojourn.OwnerIndex      = (*Store)(nil)
	_ sojourn.EveryoneRevoker = (*Store)(nil)
	_ sojourn.Lister          = (*Store)(nil)
	_ sojourn.Checker         = (*Store)(nil)
	_ sojourn.Near            = (*Store)(nil)
)

// New returns a Store that uses client. Its error names every mistake at once. New does no I/O;
// [Store.Check] does. The application closes the client. Set its ConnWriteTimeout and Dialer.Timeout to a
// second or two, as docs/redisstore.md explains.
func New(client rueidis.Client, o Options) (*Store, error) {
	var bad []error
	mistake := func(format string, a ...any) { bad = append(bad, fmt.Errorf("redisstore: "+format, a...)) }
	if client == nil {
		mistake("the client is nil: make one with rueidis.NewClient")
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		mistake("Options.Prefix (%q) has braces, which decide where Cluster keeps a key: leave them out", o.Prefix)
	}
	if o.Near < 0 || o.Near > maxNear {
		mistake("Options.Near (%v) is out of range: 0 to %v", o.Near, maxNear)
	}
	if o.Near > 0 && o.Near < time.Millisecond {
		mistake("Options.Near (%v) is less than a millisecond", o.Near)
	}
	if o.WaitReplicas < 0 {
		mistake("Options.WaitReplicas (%d) is negative", o.WaitReplicas)
	}
	if o.WaitTimeout < 0 || o.WaitTimeout > 0 && o.WaitTimeout < time.Millisecond {
		mistake("Options.WaitTimeout (%v) is less than a millisecond", o.WaitTimeout)
	}
	if bad != nil {
		return nil, errors.Join(bad...)
	}
	if o.Prefix == "" {
		o.Prefix = "sojourn:"
	}
	if o.WaitTimeout == 0 {
		o.WaitTimeout = time.Second
	}
	return &Store{client: client, guard: newGuard(client), o: o, written: recently{age: o.Near + slowAnswer}, doubtful: recently{age: time.Minute}}, nil
}

func (s *Store) key(id string) string { return s.o.Prefix + "s:" + id }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// lives is how long Redis keeps what expires then, in milliseconds: relative, so that its clock does
// not matter.
func lives(expiry, now int64) string { return decimal(max(expiry-now, 1)) }

// Load returns the record with that id, from the server. An id that is unknown, expired or malformed is
// ErrNotFound. (promises 1, 2)
func (s *Store) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if !wellFormed(id) {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	if done := s.asksBeside(ctx); done != nil {
		defer done()
	}
	if s.o.WaitReplicas > 0 && s.doubtful.has(id) {
		return s.read(id, s.run(ctx, reassureScript, s.key(id)))
	}
	return s.read(id, s.guard.do(ctx, s.client.B().Get().Key(s.key(id)).Build()))
}

// read judges what was answered by the clock of this process.
func (s *Store) read(id string, answer rueidis.RedisResult) (sojourn.Record, error) {
	const op = "load"
	b, err := answer.AsBytes()
	if rueidis.IsRedisNil(err) {
		return sojourn.Record{}, sojourn.ErrNotFound
	} else if err != nil {
		return sojourn.Record{}, failed(op, err)
	}
	r, err := decode(id, b)
	if err != nil {
		return sojourn.Record{}, failed(op, err)
	}
	if !time.Now().Before(r.Expiry) {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	return r, nil
}

// Create adds a record. It returns ErrConflict if the id is taken. (promise 4)
func (s *Store) Create(ctx context.Context, r sojourn.Record) error {
	const op = "create"
	if err := check(op, &r); err != nil {
		return err
	}
	now, expiry, until := time.Now().UnixMilli(), r.Expiry.UnixMilli(), int64(0)
	if r.Owner != "" {
		var err error
		if until, err = s.list(ctx, r.Owner, r.ID, expiry, now); err != nil {
			return failed(op, err)
		}
	}
	s.changing(r.ID)
	answer := s.run(ctx, createScript, s.key(r.ID), rueidis.BinaryString(encode(&r, until)), lives(expiry, now))
	return s.outcome(op, r.ID, answer)
}

// Update replaces the record if it is there at version. (promises 5, 6)
func (s *Store) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	const op = "update"
	if !wellFormed(r.ID) || version == 0 || version > maxMillis {
		return sojourn.ErrConflict
	}
	if err := check(op, &r); err != nil {
		return err
	}
	now, expiry := time.Now().UnixMilli(), r.Expiry.UnixMilli()
	update := func(until int64, listed string) rueidis.RedisResult {
		args := append(make([]string, 0, 7), versionBytes(version), decimal(now), rueidis.BinaryString(encode(&r, until)), lives(expiry, now))
		if r.Owner != "" {
			args = append(args, decimal(expiry), r.Owner, listed)
		}
		return s.run(ctx, updateScript, s.key(r.ID), args...)
	}
	s.changing(r.ID)
	answer := update(0, "")
	if code, _ := codeOf(answer); code == unlisted {
		until, err := s.list(ctx, r.Owner, r.ID, expiry, now)
		if err != nil {
			return failed(op, err)
		}
		answer = update(until, "1")
	}
	return s.outcome(op, r.ID, answer)
}

// Touch sets Expiry and Seen of the record if it is there at r.Version. (promise 7)
func (s *Store) Touch(ctx context.Context, r sojourn.Record) error {
	const op = "touch"
	if !wellFormed(r.ID) || r.Version == 0 || r.Version > maxMillis {
		return sojourn.ErrConflict
	}
	if err := check(op, &r); err != nil {
		return err
	}
	now, expiry := time.Now().UnixMilli(), r.Expiry.UnixMilli()
	times := string(appendMillis(appendMillis(nil, expiry), r.Seen.UnixMilli()))
	touch := func(listed string) rueidis.RedisResult {
		return s.run(ctx, touchScript, s.key(r.ID), versionBytes(r.Version), decimal(now), times, lives(expiry, now), decimal(expiry), listed)
	}
	s.changing(r.ID)
	answer := touch("")
	if code, owner := codeOf(answer); code == unlisted {
		until, err := s.list(ctx, owner, r.ID, expiry, now)
		if err != nil {
			return failed(op, err)
		}
		answer = touch(string(appendMillis(nil, until)))
	}
	return s.outcome(op, r.ID, answer)
}

// Delete deletes the record if it is at version, or at any version if that is 0. (promise 8)
func (s *Store) Delete(ctx context.Context, id string, version uint64) error {
	const op = "delete"
	if !wellFormed(id) {
		return nil
	}
	at := ""
	if version != 0 {
		at = versionBytes(version)
	}
	s.changing(id)
	answer := s.run(ctx, deleteScript, s.key(id), at, decimal(time.Now().UnixMilli()))
	if err := s.outcome(op, id, answer); err != nil {
		return err
	}
	if _, owner := codeOf(answer); owner != "" {
		// The session is gone; an entry that stays is passed over, and goes when it would have expired.
		s.guard.do(ctx, s.client.B().Zrem().Key(s.ownerKey(owner)).Member(id).Build())
	}
	return nil
}

// codeOf is what a script answers: a number, or a number and an owner.
func codeOf(answer rueidis.RedisResult) (code int64, owner string) {
	m, err := answer.ToMessage()
	if err != nil {
		return -1, ""
	}
	if m.IsArray() {
		all, err := m.ToArray()
		if err != nil || len(all) != 2 {
			return -1, ""
		}
		owner, _ = all[1].ToString()
		m = all[0]
	}
	if code, err = m.AsInt64(); err != nil {
		return -1, ""
	}
	return code, owner
}

// outcome turns the answer of a script that writes into ours.
func (s *Store) outcome(op, id string, answer rueidis.RedisResult) error {
	s.changing(id) // a copy may have been read while the script was under way
	switch code, _ := codeOf(answer); code {
	case done:
		return nil
	case conflict, unlisted: // unlisted twice: somebody else changed the owner in between
		return sojourn.ErrConflict
	}
	if s.o.WaitReplicas > 0 {
		s.doubtful.add(id)
	}
	err := answer.Error()
	if err == nil {
		err = errors.New("the script gave an answer of an unknown form")
	}
	return failed(op, err)
}
