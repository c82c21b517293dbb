package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// A Store keeps sessions in Redis. It implements [sojourn.Store], [sojourn.OwnerIndex],
// [sojourn.Checker] and [sojourn.Near]. Safe for concurrent use; starts no goroutine. Redis takes
// away what has expired, so there is nothing to sweep.
type Store struct {
	client   rueidis.Client
	o        Options
	written  recently // ids that a copy nearby may be older than
	doubtful recently // ids that may not have got to the replicas
}

// Options: the zero value keeps sessions under "sojourn:", believes no copies and waits for no replica.
type Options struct {
	// Prefix begins every key: "sojourn:". It has no braces, which mean something to Cluster.
	Prefix string

	// Near keeps copies of what was read in this process, for at most so long; 2s is a good choice, and
	// the longest. Another process's logout is seen by requests that change nothing up to so much
	// later, mostly within milliseconds: Redis tells when a copy is out of date. The client bounds
	// their memory: rueidis.ClientOption.CacheSizeEachConn.
	Near time.Duration

	// WaitReplicas is how many replicas must have a write before it counts, 0: none. Without it, what
	// was answered in the last moments before a primary fails is lost with it, and who logged out
	// then may be logged in again.
	WaitReplicas int

	// WaitTimeout is how long to wait for them: 1s.
	WaitTimeout time.Duration
}

const (
	maxNear = 2 * time.Second

	// slowAnswer: a copy that was asked for before a write may come in after that was answered.
	slowAnswer = 250 * time.Millisecond
)

var (
	_ sojourn.Store      = (*Store)(nil)
	_ sojourn.OwnerIndex = (*Store)(nil)
	_ sojourn.Checker    = (*Store)(nil)
	_ sojourn.Near       = (*Store)(nil)
)

// New reports every mistake at once and does no I/O; [Store.Check] does. The client stays yours to close.
// Set its ConnWriteTimeout and Dialer.Timeout to a second or two: docs/redisstore.md.
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
	return &Store{client: client, o: o, written: recently{age: o.Near + slowAnswer}, doubtful: recently{age: time.Minute}}, nil
}

func (s *Store) key(id string) string { return s.o.Prefix + "s:" + id }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// lives is how long Redis keeps what expires then, in milliseconds: relative, so that its clock does
// not matter.
func lives(expiry, now int64) string { return decimal(max(expiry-now, 1)) }

func failed(op string, err error) error { return fmt.Errorf("redisstore: %s: %w", op, err) }

// Load returns the record of id, from the server. An id that is unknown, expired or malformed is
// ErrNotFound.
func (s *Store) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if !wellFormed(id) {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	if s.o.WaitReplicas > 0 && s.doubtful.has(id) {
		return s.read(id, s.run(ctx, reassureScript, s.key(id)))
	}
	return s.read(id, s.client.Do(ctx, s.client.B().Get().Key(s.key(id)).Build()))
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

// Create keeps a new record. ErrConflict: the id is taken.
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

// Update replaces the record that is there at version, and at no other.
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

// Touch sets Expiry and Seen of the record that is there at r.Version.
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

// Delete removes the record at version; at any version if it is 0.
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
		s.client.Do(ctx, s.client.B().Zrem().Key(s.ownerKey(owner)).Member(id).Build())
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
		err = errors.New("the script answered something else than it should")
	}
	return failed(op, err)
}
