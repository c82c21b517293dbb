package harness

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const folderName = "sojourn-harness-"

// newFolder makes a folder that is claimed until held is closed or this process ends. If it is for
// another user, that user can enter it and owns it.
func newFolder(demoted bool) (dir string, held *os.File, err error) {
	base := os.TempDir()
	if demoted && !open(base) {
		base = "/tmp"
	}
	sweepFolders(base)
	if dir, err = os.MkdirTemp(base, folderName); err != nil {
		return "", nil, err
	}
	if held, err = os.Open(dir); err == nil {
		err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if demoted && err == nil {
		var uid, gid int
		if uid, gid, err = plainUser(); err == nil {
			err = os.Chown(dir, uid, gid)
		}
	}
	return dir, held, err
}

// open says whether everybody can reach what is in dir.
func open(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// sweepFolders removes what processes left that were killed before they could.
func sweepFolders(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, folderName+"*"))
	for _, dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		// A young one may be about to be claimed.
		info, err := f.Stat()
		if err == nil && time.Since(info.ModTime()) > time.Minute &&
			syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(dir)
		}
		f.Close()
	}
}
