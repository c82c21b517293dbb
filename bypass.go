package sojourn

import "errors"

// bypassed tells that the response's header went out without this manager: what waits in out is lost, and
// what needs a token will be refused as too late.
func (st *state) bypassed(s *session) {
	s.hold.Lock()
	lost := s.out != nil && s.out.Token()
	s.said = true
	s.hold.Unlock()
	e := Event{Name: EventBypassed, Err: errBypassed}
	if lost {
		e.Reason = "token_lost"
	}
	s.tell(e)
	s.tellAll()
}

var errBypassed = errors.New("the response was written past the http.ResponseWriter that LoadAndSave handed out: wrap the whole router in LoadAndSave, or have its adapter pass that writer on")
