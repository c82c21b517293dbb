package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// untouched fails unless ann has her old password and her session, and can log in, within the time that the
// database takes to see that somebody has gone.
func (x *people) untouched(t *testing.T, r sojourn.Record) {
	t.Helper()
	holds(t, x.s, r)
	if got := x.password(t, "ann"); got != "old" {
		t.Errorf("the password is %q", got)
	}
	m := managerOn(t, x.s, sojourn.Config{StoreTimeout: 20 * time.Second})
	if cookie, err := login(m, "ann", nil); err != nil || !loggedIn(m, cookie, "ann") {
		t.Errorf("login: %v", err)
	}
	if fence, _, err := x.s.Fence(t.Context(), "ann"); fence != 0 || err != nil {
		t.Errorf("the fence is %d, %v", fence, err)
	}
}

// The connection of the transaction is killed before the commit: neither the password nor a session is changed.
func TestRevokeTxOnAConnectionThatIsKilled(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		x := newPeople(t, p)
		x.add(t, "ann")
		r := create(t, x.s, newRecord("ann"))
		self, kill := "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%d)"
		if p.dialect == sqlstore.MySQL {
			self, kill = "SELECT CONNECTION_ID()", "KILL %d"
		}
		tx := x.begin(t)
		x.changeAndRevoke(t, tx, "ann")
		var id int
		if err := tx.QueryRow(self).Scan(&id); err != nil {
			t.Fatal(err)
		}
		mustExec(t, p.open(t), fmt.Sprintf(kill, id))
		if err := tx.Commit(); err == nil {
			t.Error("committed on a connection that is gone")
		}
		x.untouched(t, r)
	})
}

// The process is killed in the middle of the transaction, and right after the commit.
func TestRevokeTxInAProcessThatIsKilled(t *testing.T) {
	if text := os.Getenv(orderVar); text != "" {
		changeUntilKilled(t, text)
		return
	}
	withPeople(t, func(t *testing.T, x *people) {
		x.add(t, "ann")
		r := create(t, x.s, newRecord("ann"))
		x.killedAfter(t, "revoked")
		x.untouched(t, r)
		x.killedAfter(t, "committed")
		lacks(t, x.s, r.ID)
		if got, n := x.password(t, "ann"), len(owned(t, x.s, "ann")); got != "new" || n != 0 {
			t.Errorf("the password is %q, and %d sessions live", got, n)
		}
		m := managerOn(t, x.s, sojourn.Config{})
		logsInSoon(t, m, "ann")
	})
}

// killedAfter has another process change ann's password, and kills it when it says word.
func (x *people) killedAfter(t *testing.T, word string) {
	t.Helper()
	text, err := json.Marshal(order{Dialect: x.dialect, Driver: x.driver, DSN: x.dsn})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRevokeTxInAProcessThatIsKilled$")
	cmd.Env = append(os.Environ(), orderVar+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == word {
			return
		}
		fmt.Fprintln(in) // on with it
	}
	t.Fatalf("the other process has not said %q", word)
}

// changeUntilKilled says how far it is, and goes on when it is told.
func changeUntilKilled(t *testing.T, text string) {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	x := &people{place: place{o.Dialect, o.Driver, o.DSN}}
	x.db, x.s = x.open(t), x.store(t)
	tx := x.begin(t)
	x.changeAndRevoke(t, tx, "ann")
	fmt.Println("revoked")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return
	}
	commitTx(t, tx)
	fmt.Println("committed")
	io.Copy(io.Discard, os.Stdin)
}
