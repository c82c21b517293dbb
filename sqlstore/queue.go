package sqlstore

// A queue is of calls that wait. Whoever leaves it does so at the same cost, however many there are: thousands
// have one deadline.
type queue[T any] struct {
	first, last *call[T]
	n           int
}

func (q *queue[T]) push(c *call[T]) {
	c.link.prev, c.link.waits = q.last, true
	if q.last == nil {
		q.first = c
	} else {
		q.last.link.next = c
	}
	q.last = c
	q.n++
}

// remove reports whether c was there.
func (q *queue[T]) remove(c *call[T]) bool {
	if !c.link.waits {
		return false
	}
	before, after := c.link.prev, c.link.next
	if before == nil {
		q.first = after
	} else {
		before.link.next = after
	}
	if after == nil {
		q.last = before
	} else {
		after.link.prev = before
	}
	c.link.prev, c.link.next, c.link.waits = nil, nil, false
	q.n--
	return true
}

// take removes up to most of those who have waited longest.
func (q *queue[T]) take(most int) []*call[T] {
	calls := make([]*call[T], 0, min(q.n, most))
	for q.n > 0 && len(calls) < most {
		c := q.first
		q.remove(c)
		calls = append(calls, c)
	}
	return calls
}
