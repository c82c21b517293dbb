package histories

import (
	"context"
	"fmt"
	"slices"
)

// sizes are tried in this order: clients, and what each asks.
var sizes = [][2]int{{2, 1}, {2, 2}, {2, 3}, {3, 2}, {3, 3}, {3, 4}, {4, 4}, {4, 6}, {4, 10}}

// Shortest looks for the shortest wrong history: the fewest clients and deeds that show one in so many tries of each
// size, without what is not needed for that. It is nil if there is none.
func Shortest(ctx context.Context, s *Spec, stage *Stage, seed uint64, tries int) ([]Op, error) {
	for _, size := range sizes {
		var best []Op
		for range tries {
			p := Play{Spec: s, URLs: stage.URLs, Seed: seed, Clients: size[0], Deeds: size[1]}
			seed++
			ops, err := p.Run(ctx)
			if err != nil {
				return nil, fmt.Errorf("seed %d: %w", p.Seed, err)
			}
			if v := s.Judge(ops, stage.Near); v.Refused() {
				if ops = s.trim(v.whole(ops), stage); best == nil || len(ops) < len(best) {
					best = ops
				}
			}
		}
		if best != nil {
			return best, nil
		}
	}
	return nil, nil
}

// trim leaves out what was asked when all else had been answered, and what only reads, one by one, while the rest is
// still refused. Nothing else that writes may be left out: a value that nobody has put explains nothing.
func (s *Spec) trim(ops []Op, stage *Stage) []Op {
	for i := 0; i < len(ops); {
		less := slices.Delete(slices.Clone(ops), i, i+1)
		last := int64(0)
		for _, o := range less {
			last = max(last, o.Return)
		}
		needed := ops[i].Call < last && visible(ops[i]) && (writes(ops[i]) || ops[i].Do == "revoke" || ops[i].Do == "others" || ops[i].Sent != "")
		if !needed && s.Judge(less, stage.Near).Refused() {
			ops, i = less, 0 // what was needed before may not be now
		} else {
			i++
		}
	}
	return ops
}
