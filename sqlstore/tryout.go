package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"math"
	"time"

	"github.com/gosojourn/sojourn"
)

// A tryout is a session that Check plays through, of an owner that nobody has.
type tryout struct {
	*Store
	r       sojourn.Record
	owned   bool // the table has an owner index
	lacks   []right
	refused map[string]bool // said already
	created bool            // perhaps
}

// tryOut plays a session. What the database refuses to any statement is found out first, with statements that
// meet nothing or are rolled back, so that nothing is created that could not be taken away.
func (s *Store) tryOut(ctx context.Context, f *findings) (err error) {
	if f.unfit {
		return nil
	}
	t := &tryout{Store: s, r: sample(), refused: map[string]bool{}}
	if t.owned, err = s.indexed(ctx); err != nil {
		return err
	}
	defer t.cleanUp(ctx)
	if err := t.tryRefusals(ctx, f); err != nil || len(t.lacks) > 0 || len(t.refused) > 0 {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	return t.play(ctx, f)
}

// toTheEnd is ctx for what should not be broken off: a statement that a driver gives up may still write, after
// everything was cleaned up.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	patience := lockPatience
	if end, ok := ctx.Deadline(); ok {
		patience = max(time.Until(end), 2*time.Second)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// sample is a session with every byte in it, whose time is soon over even if Check is killed midway.
func sample() sojourn.Record {
	var id [18]byte
	rand.Read(id[:])
	r := sojourn.Record{ID: base64.RawURLEncoding.EncodeToString(id[:]), Owner: "sojourn check " + rand.Text(), Version: 1}
	r.Seen = time.Now().Truncate(time.Millisecond)
	r.Expiry = r.Seen.Add(time.Minute)
	for i := range 256 {
		r.Data = append(r.Data, byte(i))
	}
	return r
}

// tryRefusals runs a statement of each kind. Only an INSERT needs a transaction to change nothing.
func (t *tryout) tryRefusals(ctx context.Context, f *findings) error {
	id, owner, far := t.r.ID, t.d.bytesValue([]byte(t.r.Owner)), int64(math.MaxInt64)
	data, expiry, err := t.prepare("check", &t.r)
	if err != nil {
		return err
	}
	was, value := tag(1, id), t.d.bytesValue(data)
	main, owners := t.w.table, t.w.owners().table
	trials := []trial{
		{right{"SELECT", main}, qLoad, []any{id}},
		{right{"DELETE", main}, qDelete, []any{id, was}},
		{right{"UPDATE", main}, qUpdate, []any{value, expiry, id, was, stamp(0)}},
		{right{"INSERT", main}, qCreate, []any{id, value, expiry}},
	}
	if t.owned {
		trials = append(trials,
			trial{right{"SELECT", owners}, qFence, append(t.now(), owner)},
			trial{right{"DELETE", owners}, qForget, []any{owner, far, far}},
			trial{right{"UPDATE", owners}, qRaiseFence, append(append([]any{int64(1)}, t.now()...), owner, int64(0))},
			trial{right{"INSERT", owners}, qFirstFence, append([]any{owner, int64(1)}, t.now()...)})
	}
	for _, x := range trials {
		if err := t.judge(f, t.again(ctx, patience, func() error { return t.try(ctx, x) })); err == errDenied {
			t.lacks = append(t.lacks, x.right)
		} else if err != nil {
			return err
		}
	}
	if len(t.lacks) > 0 {
		return t.reportRights(ctx, f, t.lacks)
	}
	return nil
}

// A trial is a statement that one right is needed for.
type trial struct {
	right
	q    query
	args []any
}

func (t *tryout) try(ctx context.Context, x trial) error {
	switch x.verb {
	case "SELECT":
		return t.each(ctx, x.q, x.args, func(*sql.Rows) error { return nil })
	case "UPDATE", "DELETE":
		_, err := t.exec(ctx, x.q, x.args...)
		return err
	}
	t.created = true // a table of MyISAM knows no ROLLBACK
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := t.words(x.q)
	_, err = tx.ExecContext(ctx, w.sql, w.order(x.args)...)
	return err
}

// play has the session live and die. Reading back is done on a connection that did not write, where the
// pool has another: it may lead to another server.
func (t *tryout) play(ctx context.Context, f *findings) error {
	var other querier = t.db
	if t.db.Stats().MaxOpenConnections != 1 {
		release, err := t.pair(ctx)
		if err != nil {
			return err
		}
		defer release()
		conn, err := t.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		other = conn
	}
	for _, step := range []struct {
		what string
		do   func(ctx context.Context) error
	}{
		{"create", func(ctx context.Context) error { return t.Create(ctx, t.r) }},
		{"touch", func(ctx context.Context) error {
			t.r.Seen, t.r.Expiry = t.r.Seen.Add(time.Second), t.r.Expiry.Add(time.Second)
			return t.Touch(ctx, t.r)
		}},
		{"update", func(ctx context.Context) error {
			t.r.Version, t.r.Data = 2, bytes.Repeat(t.r.Data, 2)
			return t.Update(ctx, t.r, 1)
		}},
	} {
		if err := t.judge(f, step.do(ctx)); err == sojourn.ErrConflict {
			f.add("a session that nobody else has is 'in conflict' when Check wants to %s it: look for a trigger on table %s, "+
				"and whether every connection of the DSN leads to one primary server", step.what, t.w.table)
			return nil
		} else if err != nil || len(t.refused) > 0 {
			return err
		}
		if there, err := t.readBack(ctx, other); err != nil {
			return err
		} else if there != "" {
			f.add("after %s, a second connection %s: let every connection of the DSN lead to the one primary server, and look for a trigger on table %s", step.what, there, t.w.table)
			return nil
		}
	}
	return t.end(ctx, f)
}

// readBack says what is wrong with what other sees of the session.
func (t *tryout) readBack(ctx context.Context, other querier) (string, error) {
	var data []byte
	err := t.again(ctx, patience, func() error {
		w := t.words(qLoad)
		return other.QueryRowContext(ctx, w.sql, t.r.ID).Scan(&data)
	})
	if err == sql.ErrNoRows {
		return "does not find the session", nil
	} else if err != nil {
		return "", err
	}
	got, err := decode(t.r.ID, data)
	if err != nil || got.Version != t.r.Version || !got.Expiry.Equal(t.r.Expiry) || !bytes.Equal(got.Data, t.r.Data) {
		return "reads something else than was written", nil
	}
	return "", nil
}

// end revokes the session, or deletes it where there is no owner index.
func (t *tryout) end(ctx context.Context, f *findings) error {
	var err error
	if t.owned {
		_, err = t.RevokeOwner(ctx, t.r.Owner, "")
	} else {
		err = t.Delete(ctx, t.r.ID, t.r.Version)
	}
	if err = t.judge(f, err); err != nil && err != sojourn.ErrConflict || len(t.refused) > 0 {
		return err
	}
	if _, err = t.load(ctx, t.r.ID); err == nil {
		f.add("a session that was ended is still there: look for a trigger or a rule on table %s or %s", t.w.table, t.w.owners().table)
	} else if err != sojourn.ErrNotFound {
		return err
	}
	return nil
}

// cleanUp takes away what may be there, also when Check's own time is over.
func (t *tryout) cleanUp(ctx context.Context) {
	if !t.created {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	t.Delete(ctx, t.r.ID, 0)
	if t.owned {
		t.again(ctx, patience, func() error {
			_, err := t.exec(ctx, qForget, t.d.bytesValue([]byte(t.r.Owner)), int64(math.MaxInt64), int64(math.MaxInt64))
			return err
		})
	}
}
