package leak

import (
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestFindsWhatIsBlocked(t *testing.T) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		<-end
	}()
	found := strings.Join(ours(stacks()), "\n")
	close(end)
	<-ended
	if !strings.Contains(found, "TestFindsWhatIsBlocked.func1") {
		t.Errorf("a goroutine that waits is not among\n%s", found)
	}
}

func TestPassesByWhatIsNotOurs(t *testing.T) {
	if left := ours([]string{"goroutine 7 [select]:\ndatabase/sql.(*DB).connectionOpener(0xc0)\ncreated by database/sql.OpenDB in goroutine 1"}); left != nil {
		t.Errorf("%q", left)
	}
}
