package harness

import "testing"

// A Server is a private server that a test may kill and start again: its address and its data stay.
// Its methods may be called from any goroutine, one at a time; what goes wrong fails the test.
type Server struct {
	t  testing.TB
	p  *private
	db map[string]bool
}

// StartMySQL starts a MariaDB server that writes its log to disk at each commit. It is gone at the
// end of the test.
func StartMySQL(t testing.TB) *Server {
	t.Helper()
	return startServer(t, &mysql, nil)
}

// StartPostgres starts a PostgreSQL server with fsync. It is gone at the end of the test.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	return startServer(t, &postgres, nil)
}

// StartMySQLWith is StartMySQL with a clock that can be stepped.
func StartMySQLWith(t testing.TB, c *Clock) *Server {
	t.Helper()
	return startServer(t, &mysql, c)
}

// StartPostgresWith is StartPostgres with a clock that can be stepped.
func StartPostgresWith(t testing.TB, c *Clock) *Server {
	t.Helper()
	return startServer(t, &postgres, c)
}

func startServer(t testing.TB, k *kind, c *Clock) *Server {
	t.Helper()
	wanted(t, k.name)
	p, err := k.install()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	if p == nil {
		Missing(t, k.name, k.noPrograms)
	}
	t.Cleanup(p.remove)
	p.clock = c
	if err := p.start(); err != nil {
		t.Fatalf("harness: %v", err)
	}
	if err := k.ping(p.base(p.addr)); err != nil {
		t.Fatalf("harness: %v", err)
	}
	return &Server{t: t, p: p, db: map[string]bool{}}
}

// Addr is host and port, the same for the server's whole life.
func (s *Server) Addr() string { return s.p.addr }

// DSN is that of database db, which the first call creates, with the driver's parameters, such as
// "parseTime=true", appended.
func (s *Server) DSN(db string, params ...string) string {
	s.t.Helper()
	base := s.p.base(s.p.addr)
	if !s.db[db] {
		if err := s.p.kind.exec(base, s.p.kind.create, db); err != nil {
			s.t.Errorf("harness: create database %s: %v", db, err)
		}
		s.db[db] = true
	}
	dsn, err := s.p.kind.dsn(base, db)
	if err != nil {
		s.t.Errorf("harness: %v", err)
	}
	return withParams(dsn, params)
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() { s.p.run.killAll() }

// Stop ends the server in its own way: it waits for what is committing and closes connections.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.p.stop(); err != nil {
		s.t.Errorf("harness: stop %s: %v", s.p.kind.name, err)
	}
}

// Start starts the server again, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.p.start(); err != nil {
		s.t.Errorf("harness: %v", err)
	}
}
