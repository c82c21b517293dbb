package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A step is something that Migrate does, whole or not at all where the database has transactions for that.
type step struct {
	what   string
	sql    []string
	online bool // beside the traffic, and on PostgreSQL outside a transaction
}

func (a step) equal(b step) bool { return a.what == b.what }

// plan answers what is to be done to the tables as they are, or an error if they are not ours. It only reads.
func (s *Store) plan(ctx context.Context, q querier) (todo []step, err error) {
	cols, err := s.columns(ctx, q, s.w)
	if err != nil {
		return nil, err
	}
	fences, err := s.columns(ctx, q, s.w.owners())
	if err != nil {
		return nil, err
	}
	if err := s.ours(cols, fences); err != nil {
		return nil, err
	}
	add := func(what string, online bool, texts ...string) {
		for i := range texts {
			texts[i] = s.w.sql(texts[i])
		}
		todo = append(todo, step{what, texts, online})
	}
	home, err := s.home(ctx, q, len(cols) > 0, len(fences) > 0)
	if err != nil {
		return nil, err
	}
	if _, timed := fences["raised"]; len(fences) == 0 {
		add("make the table of fences", false, home.sql(s.d.createOwners))
	} else if !timed {
		add("add column raised", false, s.d.addRaised)
	}
	if len(cols) == 0 {
		add("make the table", false, s.d.createTable, s.d.indexExpiry, s.d.indexOwner)
		return todo, nil
	}
	shape, err := s.shape(ctx, q, s.w)
	if err != nil {
		return nil, err
	}
	if shape != "" && shape != partitioned {
		return nil, fmt.Errorf("%s is %s, nothing was changed: name the table itself with Options.Table", s.w.table, shape)
	}
	if _, ok := cols["owner"]; !ok {
		add("add column owner", false, s.d.addOwner)
	}
	err = s.planIndexes(ctx, q, func(what, text string) { add(what, shape != partitioned, text) })
	return todo, err
}

// home is what writes the name of a table of fences that is to be made: it goes where the table of sessions was found, and
// not where the search_path of today would put it. Where both are there, they must be together.
func (s *Store) home(ctx context.Context, q querier, sessions, fences bool) (writer, error) {
	if s.d.home == "" || s.w.t.schema != "" || !sessions {
		return s.w, nil
	}
	var here, there string
	err := q.QueryRowContext(ctx, s.w.sql(s.d.home)).Scan(&here)
	if err == nil && fences {
		err = q.QueryRowContext(ctx, s.w.owners().sql(s.d.home)).Scan(&there)
	}
	if err == nil && fences && here != there {
		err = fmt.Errorf("table %s is found in schema %s and table %s in schema %s, nothing was changed: name the schema in Options.Table, such as %q",
			s.w.table, here, s.w.owners().table, there, here+"."+s.w.t.name)
	}
	return s.d.writer(table{here, s.w.t.name}), err
}

// planIndexes adds what is to be done about the indexes of a table that is there.
func (s *Store) planIndexes(ctx context.Context, q querier, add func(what, text string)) error {
	found, err := s.indexes(ctx, q, s.w)
	if err != nil {
		return err
	}
	for _, x := range []struct{ column, name, create string }{
		{"expiry", s.w.t.name + "_expiry_idx", s.d.indexExpiry},
		{"owner", s.w.t.name + "_owner_idx", s.d.indexOwner},
	} {
		if found.leads(x.column) {
			continue
		}
		if slices.ContainsFunc(found, func(i index) bool { return i.name == x.name && i.broken }) {
			add("drop what is left of the index of "+x.column, "DROP INDEX "+s.d.quoted(s.w.t.schema, x.name))
		} else if taken, err := s.nameTaken(ctx, q, found, x.name); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("there is a %s already, which is no index of column %s of table %s, nothing was changed: rename it", x.name, x.column, s.w.table)
		}
		add("build the index of "+x.column, x.create)
	}
	return nil
}

// nameTaken reports that an index cannot have this name, because another one, or a table, has it.
func (s *Store) nameTaken(ctx context.Context, q querier, found indexes, name string) (bool, error) {
	if slices.ContainsFunc(found, func(i index) bool { return i.name == name }) {
		return true, nil
	}
	if s.d.relations == "" {
		return false, nil
	}
	n, err := number(ctx, q, s.w.sql(s.d.relations), name)
	return n > 0, err
}

// ours answers an error for tables that are somebody else's: they are not touched.
func (s *Store) ours(cols, fences map[string]column) error {
	const remedy = "nothing was changed: name another table with Options.Table"
	if bad := s.misfits(cols); len(cols) > 0 && len(bad) > 0 {
		return fmt.Errorf("table %s does not look like a table of sessions: %s, or mend it: %w", s.w.table, remedy, errors.New(strings.Join(bad, "; ")))
	}
	if o, ok := cols["owner"]; ok && !s.isOwner(o) {
		return fmt.Errorf("table %s has another column named owner, of type %s: nothing was changed: rename it", s.w.table, o.kind)
	}
	if len(fences) == 0 {
		return nil
	}
	if o, f := fences["owner"], fences["fence"]; !s.isOwner(o) || !strings.Contains(f.kind, "int") {
		return fmt.Errorf("table %s is not the table of fences: %s, or rename it", s.w.owners().table, remedy)
	}
	return nil
}
