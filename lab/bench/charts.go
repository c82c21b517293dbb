package main

import (
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// A chart has the routes of one kind, at 32 connections, on each medium, as parts of the floor.
type chart struct {
	file, title string
	ours, scs   string // how names of results go on behind the medium
}

var charts = []chart{
	{"static.svg", "A page that asks for nothing, of the bare handler", ", static page, of the bare handler, 32 connections", ", static page, scs, 32 connections"},
	{"read.svg", "Two values read, of one raw lookup", ", read, of one raw lookup, 32 connections", ", read, scs, 32 connections"},
	{"idle.svg", "Two values read under an idle limit, of one raw lookup", ", idle limit, of one raw lookup, 32 connections", ", idle limit, scs, 32 connections"},
	{"write.svg", "A value written, of one raw lookup and one raw update", ", write, of lookup and update, 32 connections", ", write, scs, 32 connections"},
}

// draw leaves out what was not measured.
func (r *report) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	find := func(name string) (float64, bool) {
		for _, x := range r.Results {
			if x.Name == name {
				return x.Ratio.Median, true
			}
		}
		return 0, false
	}
	for _, c := range charts {
		var names []string
		var ours, scs plotter.Values
		for _, m := range []medium{inSQLite, inMariaDB, inPostgres, inRedis} {
			a, ok := find(string(m) + c.ours)
			b, ok2 := find(string(m) + c.scs)
			if ok && ok2 {
				names, ours, scs = append(names, string(m)), append(ours, a), append(scs, b)
			}
		}
		if len(names) == 0 {
			continue
		}
		if err := c.draw(filepath.Join(dir, c.file), names, ours, scs); err != nil {
			return err
		}
	}
	return nil
}

func (c chart) draw(file string, names []string, ours, scs plotter.Values) error {
	p := plot.New()
	p.Title.Text = c.title
	p.BackgroundColor = color.White
	p.Y.Min = 0
	width := vg.Points(26)
	for i, side := range []struct {
		name   string
		values plotter.Values
		color  color.Color
	}{{"Sojourn", ours, color.RGBA{0x0b, 0x6b, 0x5e, 0xff}}, {"scs", scs, color.RGBA{0xb9, 0xb3, 0xa2, 0xff}}} {
		bars, err := plotter.NewBarChart(side.values, width)
		if err != nil {
			return err
		}
		bars.Color, bars.LineStyle.Width = side.color, 0
		bars.Offset = (vg.Length(i) - .5) * width
		p.Add(bars)
		p.Legend.Add(side.name, bars)
	}
	floor := plotter.NewFunction(func(float64) float64 { return 1 })
	floor.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	p.Add(floor)
	p.Legend.Add("the floor", floor)
	p.Legend.Top, p.Legend.Left = true, true
	p.Y.Max = max(1.6, 1.45*maxOf(ours))
	p.NominalX(names...)
	to, err := p.WriterTo(vg.Points(460), vg.Points(260), "svg")
	if err != nil {
		return err
	}
	var b strings.Builder
	if _, err := to.WriteTo(&b); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o666)
}

func maxOf(v plotter.Values) (m float64) {
	for _, x := range v {
		m = max(m, x)
	}
	return m
}
