package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/histories/serving"
	"github.com/gosojourn/sojourn/sqlstore"
)

func onSQLite(t *testing.T, folder string) serving.Order {
	t.Helper()
	return serving.Order{Dialect: sqlstore.SQLite, Driver: "sqlite",
		DSN: "file:" + filepath.Join(folder, "app.db") + "?_pragma=busy_timeout(400)&_pragma=journal_mode(WAL)"}
}

// sqliteFull fills the disk that the file is on: one in memory, which only root may have.
func sqliteFull(t *testing.T) *scene {
	folder := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m", "none", folder).CombinedOutput(); err != nil {
		t.Skipf("skipped: a disk that is full; it needs the right to mount one: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return &scene{urls: two(t, onSQLite(t, folder)), fault: func(lasting time.Duration) {
		name := filepath.Join(folder, "filler")
		filler, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		full := false
		for end, some := time.Now().Add(lasting), make([]byte, 4096); time.Now().Before(end) || !full; {
			if _, err := filler.Write(some); err != nil {
				full = true
				time.Sleep(time.Millisecond)
			}
		}
		filler.Close()
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}}
}
