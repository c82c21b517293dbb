package sqlstore

import "context"

// usualConns is how many connections are reckoned with where the pool has no limit.
const usualConns = 16

// checkStatements looks whether the server has room for the statements that are kept prepared on each
// connection, and whether the driver prepares some where none may be.
func (s *Store) checkStatements(ctx context.Context, f *findings) error {
	if s.noPrepare {
		return s.checkNonePrepared(ctx, f)
	}
	if s.d.preparedMax == "" {
		return nil
	}
	most, err := number(ctx, s.db, s.d.preparedMax)
	if err != nil {
		return err
	}
	var name string
	var now int64
	if err := s.db.QueryRowContext(ctx, s.d.preparedNow).Scan(&name, &now); err != nil {
		return err
	}
	p := s.db.Stats()
	conns := p.MaxOpenConnections
	if conns == 0 {
		conns = usualConns
	}
	// What connections that are open have prepared is among those that there are.
	if need := int64(queries) * int64(max(conns-p.OpenConnections, 1)); most-now < need {
		f.add("the server has room for %d more prepared statements, of %d, and this pool may want %d: SET GLOBAL max_prepared_stmt_count = %d, "+
			"find out who prepares statements and does not close them, or set Options.NoPrepare; what finds no room runs unprepared, in two exchanges more", max(most-now, 0), most, need, 4*(now+need))
	}
	return nil
}

// checkNonePrepared finds a driver that prepares by itself although Options.NoPrepare is set: behind a
// pooler the statement is on another connection when it is to be run.
func (s *Store) checkNonePrepared(ctx context.Context, f *findings) error {
	if s.d.preparedNames == "" {
		return nil
	}
	n, err := number(ctx, s.db, s.d.preparedNames)
	if err == nil && n > 0 {
		f.add("Options.NoPrepare is set, but the driver prepares statements by itself: add default_query_exec_mode=exec to the DSN (pgx)")
	}
	return err
}
