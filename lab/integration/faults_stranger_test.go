package integration

import (
	"context"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Migrate "may run while the application does", and "sessions begin as always meanwhile". A process that has looked at the
// table before it was migrated remembers for ten seconds that there is no fence of everybody's: who logs in there after
// Migrate and RevokeEveryone, by another process, is told that all is well, and is nobody with the next request.
func TestFaultLoginBehindMigrateAndRevokeEveryone(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		running, err := sojourn.New(p.store(t), sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		bob := sojourntest.NewBrowser(t, running, http.NotFoundHandler())
		bob.Session(func(ctx context.Context) { _ = running.Login(ctx, "bob") })
		bob.Session(func(ctx context.Context) {
			if running.Info(ctx).Owner != "bob" {
				t.Fatal("bob is not logged in")
			}
		})
		s := p.store(t)
		command, err := sojourn.New(s, sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		migrate(t, s)
		if err := command.RevokeEveryone(t.Context()); err != nil {
			t.Fatal(err)
		}
		carl := sojourntest.NewBrowser(t, running, http.NotFoundHandler())
		carl.Session(func(ctx context.Context) {
			_ = running.Login(ctx, "carl")
			if err := running.Commit(ctx); err != nil {
				t.Fatal(err)
			}
		})
		carl.Session(func(ctx context.Context) {
			if who := running.Info(ctx).Owner; who != "carl" {
				t.Errorf("who has logged in after it is %q", who)
			}
		})
	})
}
