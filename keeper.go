package sojourn

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A keeper is what keeps a manager's sessions: a Store, or the clients themselves.
type keeper interface {
	// find loads s from what its request shows, all of which is judged before any verdict. The caller
	// holds mu.
	find(s *session, b *budget)

	// write makes the plan's changes so, and asks closeLogin before a login counts. ErrEnded: the session
	// is not there any more, or not for this request.
	write(s *session, b *budget, w *work) (written, error)

	// end ends r, unless another token has taken its place meanwhile: ErrEnded.
	end(s *session, b *budget, r *stored) error

	// confirm answers r as it is now, from no copy and no memory; ErrEnded if it is not there any more, or
	// under another token.
	confirm(ctx context.Context, b *budget, r *stored) (stored, error)

	// still asks whether w goes on, for those who wait for its end: ErrEnded, or when it ends if nobody uses it;
	// zero where that is as it was.
	still(b *budget, w *watched) (ends time.Time, err error)

	// can says why something cannot be done, with errors.ErrUnsupported, or nothing.
	can(v verb) error
}

// A verb is what not every keeper can do, with the word for it in errors.
type verb string

const (
	verbLogin  verb = "login"
	verbTake   verb = "take"
	verbList   verb = "list"
	verbFind   verb = "find"
	verbRevoke verb = "revoke" // one
	verbEndAll verb = "revoke all"
	verbAll    verb = "list everybody"
	verbSweep  verb = "sweep"

	verbEndEveryone verb = "revoke everyone"
)

// An answer is what a keeper's error comes to. Errors are told apart here and nowhere else.
type answer uint8

const (
	applied  answer = iota
	conflict        // nothing was applied, another try may do
	refused         // nothing was applied, another try will not do
	unbegun         // nothing was applied, and the time is over
	lost            // it may have been applied, or may yet be
)

func answerOf(err error) answer {
	switch {
	case err == nil:
		return applied
	case errors.Is(err, ErrConflict):
		return conflict
	case errors.Is(err, ErrRefused), errors.Is(err, ErrTooLarge), errors.Is(err, errNoToken):
		return refused
	case errors.Is(err, ErrBusy):
		return unbegun
	}
	return lost
}

// refusedBy is what a refused write is to the application: too large, or without a token, is its own fault, all
// else is the store's.
func refusedBy(op string, err error) error {
	if (errors.Is(err, ErrTooLarge) || errors.Is(err, errNoToken)) && !errors.Is(err, ErrRefused) {
		return err
	}
	return unavailable(op, err)
}

// uncertain is the answer of a call that may have been done before err came: that the store refuses now says
// nothing of then.
func uncertain(op string, err error) error {
	return unavailable(op, fmt.Errorf("%w: %v", errUncertain, err))
}

func isEnded(err error) bool { return err != nil && errors.Is(err, ErrEnded) }

func tooLarge(err error) error { return fmt.Errorf("%w: %w", ErrTooLarge, err) }
