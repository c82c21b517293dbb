package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A right is one to do something with a table.
type right struct{ verb, table string }

// denied reports that the user has no right to do this.
func (s *Store) denied(err error) bool {
	switch mysqlNumber(err) {
	case 1044, 1142, 1143: // ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
		return true
	}
	return sqlState(err) == "42501"
}

// readOnly reports that the server, the file or the transaction takes no writes.
func (s *Store) readOnly(err error) bool {
	switch mysqlNumber(err) {
	case 1036, 1290, 1792, 1836, 1874:
		return true
	}
	if s.d == &sqlite {
		return s.d.kind(err) == refused && strings.Contains(err.Error(), "readonly")
	}
	return sqlState(err) == "25006"
}

// reportRights names the rights that are missing and who has to be given them.
func (s *Store) reportRights(ctx context.Context, f *findings, missing []right) error {
	user := ""
	if err := s.db.QueryRowContext(ctx, s.d.user).Scan(&user); err != nil {
		return err
	}
	for _, t := range []string{s.w.table, s.w.owners().table} {
		var verbs []string
		for _, m := range missing {
			if m.table == t && !slices.Contains(verbs, m.verb) {
				verbs = append(verbs, m.verb)
			}
		}
		if len(verbs) > 0 && s.policed(ctx, t) {
			f.add("row-level security keeps the user from %s on table %s: ALTER TABLE %s DISABLE ROW LEVEL SECURITY, or a policy that lets the user see and write every row", strings.Join(verbs, ", "), t, t)
		} else if len(verbs) > 0 {
			all := strings.Join(verbs, ", ")
			f.add("the user may not %s on table %s: %s", all, t, fmt.Sprintf("GRANT %s ON %s TO %s", all, t, user))
		}
	}
	return nil
}

// policed reports that policies, and not only rights, decide what the user may do with table.
func (s *Store) policed(ctx context.Context, table string) bool {
	if s.d.policed == "" {
		return false
	}
	n, err := number(ctx, s.db, strings.ReplaceAll(s.d.policed, "{table}", table))
	return err == nil && n == 1
}

var errDenied = errors.New("no right")

// judge makes a finding of an error that will come again. It hands back errDenied, and what is no finding.
func (t *tryout) judge(f *findings, err error) error {
	switch k := t.d.kind(err); {
	case err == nil || k != refused && k != unfit:
		return err
	case t.denied(err):
		return errDenied
	case t.readOnly(err):
		t.refuse(f, "read-only", t.d.writable, err)
	case sqlState(err) == "55000":
		t.refuse(f, "55000", t.w.sql("if it is published without a replica identity, ALTER TABLE {table} REPLICA IDENTITY FULL, or drop it from the publication"), err)
	case k == unfit:
		t.refuse(f, discreet(err).Error(), fmt.Sprintf("drop or alter the constraint, the trigger or the column of table %s that does not take it", t.w.table), err)
	default:
		t.refuse(f, discreet(err).Error(), "see to that, or nobody is logged in", err)
	}
	return nil
}

// refuse says the same once, though every statement meets it. The values that a text quotes are Check's own.
func (t *tryout) refuse(f *findings, what, remedy string, err error) {
	if t.refused[what] {
		return
	}
	t.refused[what] = true
	var quiet *discreetError
	if errors.As(err, &quiet) {
		err = quiet.err
	}
	f.add("the database refuses to write (%w): %s", err, remedy)
}
