package harness

import (
	"os"
	"testing"
	"time"
)

func TestFoldersAreSweptWhenTheirProcessIsGone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	swept := func(dir string) bool {
		t.Helper()
		sweepFolders(os.TempDir())
		_, err := os.Stat(dir)
		return err != nil
	}
	dir, held, err := newFolder(false)
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, long, long); err != nil {
		t.Fatal(err)
	}
	if swept(dir) {
		t.Error("a folder in use was swept")
	}
	held.Close() // as the end of a process does
	if !swept(dir) {
		t.Error("a folder that nobody uses was kept")
	}
	dir, held, err = newFolder(false)
	if err != nil {
		t.Fatal(err)
	}
	held.Close()
	if swept(dir) {
		t.Error("a young folder was swept")
	}
}
