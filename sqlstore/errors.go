package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"
)

// patience is how long a statement is tried again that lost against others without having done
// anything, where there is no caller to whom that could be answered as a conflict.
const patience = time.Second

// again runs f until it answers something other than a passing failure, or limit is over.
func (s *Store) again(ctx context.Context, limit time.Duration, f func() error) error {
	start := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := f()
		if err == nil || !s.d.transient(err) || time.Since(start) > limit {
			return err
		}
		t := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}

// taken reports that an INSERT found its key there.
func (s *Store) taken(err error) bool { return s.d.duplicate != nil && s.d.duplicate(err) }

// failed wraps what went wrong in op. It never is ErrNotFound or ErrConflict.
func (s *Store) failed(ctx context.Context, op string, err error) error {
	if s.d.missing(err) {
		s.owners.forget()
	}
	if e := ctx.Err(); e != nil && !errors.Is(err, e) {
		err = fmt.Errorf("%w: %w", e, err)
	}
	switch sqlState(err) {
	case "26000", "42P05": // invalid_sql_statement_name, duplicate_prepared_statement
		return fmt.Errorf("sqlstore: %s: behind a pooler that hands out connections by the transaction set Options.NoPrepare: %w", op, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, discreet(err))
}

// discreet hides the text of errors that quote values. errors.As finds the driver's error still.
func discreet(err error) error {
	switch n := mysqlNumber(err); n {
	case 1062, // ER_DUP_ENTRY
		1064, // ER_PARSE_ERROR
		1292, // ER_TRUNCATED_WRONG_VALUE
		1366: // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
		return &discreetError{fmt.Sprintf("Error %d of the server, whose text quotes values; Check may know more", n), err}
	}
	if state := sqlState(err); len(state) == 5 && (state[:2] == "22" || state[:2] == "23") {
		return &discreetError{"SQLSTATE " + state + " of the server, whose text may quote values; Check may know more", err}
	}
	return err
}

type discreetError struct {
	text string
	err  error
}

func (e *discreetError) Error() string { return e.text }
func (e *discreetError) Unwrap() error { return e.err }

// sqlState finds the SQLSTATE in the errors of PostgreSQL's drivers.
func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// mysqlNumber finds the number in an error of MySQL's driver, which has it in a field: a struct,
// or a pointer to one, with Number uint16.
func mysqlNumber(err error) int {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() == reflect.Struct {
			if f := v.FieldByName("Number"); f.IsValid() && f.Kind() == reflect.Uint16 {
				return int(f.Uint())
			}
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				if n := mysqlNumber(e); n != 0 {
					return n
				}
			}
		}
	}
	return 0
}
