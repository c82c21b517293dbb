package admin

import (
	"fmt"
	"strings"
)

// A chart is as wide as there are steps, and so high. The page stretches it.
const high = 24

// bars draws one bar for each number, the highest as high as the chart.
func bars(of [keep]float64) string {
	top := highest(of[:])
	var d strings.Builder
	for i, v := range of {
		if v > 0 {
			y := high - max(v/top*high, 1)
			fmt.Fprintf(&d, "M%.1f %dV%.1fh.8V%dz", float64(i)+.1, high, y, high)
		}
	}
	return d.String()
}

// line joins the numbers that are known. A chart of one alone is a dash.
func line(of [keep]float64, known [keep]bool) string {
	top := highest(of[:])
	var d strings.Builder
	move := "M"
	for i, v := range of {
		if !known[i] {
			continue
		}
		y := float64(high)
		if top > 0 {
			y = high - v/top*(high-2) - 1
		}
		fmt.Fprintf(&d, "%s%d %.1fh1", move, i, y)
		move = "L"
	}
	return d.String()
}

func highest(of []float64) (top float64) {
	for _, v := range of {
		top = max(top, v)
	}
	return top
}
