package main

import (
	"context"
	"errors"
)

// painted is one opening of the map.
type painted struct {
	Drawn        string  `json:"drawn"` // by webgl2 or 2d
	PaintMs      float64 `json:"first_paint_ms"`
	BytesAPoint  float64 `json:"bytes_a_point"`
	FrameMedian  float64 `json:"frame_median_ms"`
	FrameP95     float64 `json:"frame_p95_ms"`
	FrameLongest float64 `json:"frame_longest_ms"`
}

// paint opens the page's map several times, each time as somebody who was never there.
func (r *report) paint(ctx context.Context, a *archive) error {
	for range r.options.paints {
		p, err := paintOnce(ctx, "http://"+a.instance.HTTP+"/#/map", r.Map.Points)
		if err != nil {
			return err
		}
		r.Paints = append(r.Paints, *p)
	}
	return nil
}

func paintOnce(ctx context.Context, url string, points int) (p *painted, err error) {
	b, err := openBrowser(ctx)
	if err != nil {
		return nil, err
	}
	defer b.close()
	tab, err := b.open(url)
	if err != nil {
		return nil, err
	}
	if _, err := evaluate[bool](tab, `(() => {
		const look = () => {
			if (!document.querySelector(".map-legend tbody tr")) requestAnimationFrame(look);
			else requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now() }));
		};
		look();
		return true;
	})()`); err != nil {
		return nil, err
	}
	if err := holds(tab, "window.painted"); err != nil {
		return nil, err
	}
	if _, err := evaluate[bool](tab, `(() => {
		window.frameTimes = [];
		const canvas = document.querySelector(".lines");
		const press = (key, shiftKey) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, cancelable: true }));
		let last = 0;
		const step = (at) => {
			if (last) frameTimes.push(at - last);
			last = at;
			if (frameTimes.length === 120) { window.moved = true; return }
			if (frameTimes.length % 2) press("ArrowRight", true); else press(frameTimes.length % 40 < 20 ? "+" : "-");
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
		return true;
	})()`); err != nil {
		return nil, err
	}
	if err := holds(tab, "window.moved"); err != nil {
		return nil, err
	}
	p = &painted{}
	var wire float64
	var frames []float64
	p.Drawn, err = evaluate[string](tab, `document.querySelector(".plane").dataset.drawn`)
	err = errors.Join(err,
		into(tab, &p.PaintMs, "painted"),
		into(tab, &wire, `performance.getEntriesByType("resource").filter((e) => /map\/(points|colours)/.test(e.name)).slice(0, 2).reduce((sum, e) => sum + e.encodedBodySize, 0)`),
		into(tab, &frames, "frameTimes"))
	if err != nil {
		return nil, err
	}
	p.BytesAPoint = wire / float64(points)
	p.FrameMedian, p.FrameP95, p.FrameLongest = frameTimes(frames)
	return p, nil
}

func into[T any](ctx context.Context, value *T, expression string) (err error) {
	*value, err = evaluate[T](ctx, expression)
	return err
}
