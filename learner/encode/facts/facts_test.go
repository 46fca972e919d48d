package facts

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/consumer/profile"
)

func p(x float64) *float64 { return &x }

func encode(begin, end, lat, lon *float64) (v [Dim]float32) {
	for i := range v {
		v[i] = 9 // must be overwritten
	}
	Encode(begin, end, lat, lon, v[:])
	return v
}

func TestEncode(t *testing.T) {
	t.Parallel()
	log := func(x float64) float32 { return float32(math.Log(x)) }
	half := float32(math.Sqrt(0.5))
	for name, c := range map[string]struct {
		begin, end, lat, lon *float64
		want                 [Dim]float32
	}{
		"nothing":                {nil, nil, nil, nil, [Dim]float32{}},
		"a century":              {p(1501), p(1600), nil, nil, [Dim]float32{1, 1550.5 / 4000, log(100) / log(10001), log(1+449.5/50) / log(2001)}},
		"one year":               {p(2000), p(2000), nil, nil, [Dim]float32{1, 0.5}},
		"begin only":             {p(-400), nil, nil, nil, [Dim]float32{1, -0.1, 0, log(49) / log(2001)}},
		"end only":               {nil, p(-400), nil, nil, [Dim]float32{1, -0.1, 0, log(49) / log(2001)}},
		"the wrong way round":    {p(1600), p(1501), nil, nil, [Dim]float32{1, 1550.5 / 4000, log(100) / log(10001), log(1+449.5/50) / log(2001)}},
		"after 2000":             {p(2050), p(2050), nil, nil, [Dim]float32{1, 2050. / 4000, 0, -log(2) / log(2001)}},
		"not a number":           {p(math.NaN()), p(1000), nil, nil, [Dim]float32{1, 0.25, 0, log(21) / log(2001)}},
		"no year at all":         {p(math.Inf(-1)), p(math.NaN()), nil, nil, [Dim]float32{}},
		"stone age":              {p(-1e7), p(-1e6), nil, nil, [Dim]float32{1, -1, 1, 1}},
		"absurd years":           {p(-math.MaxFloat64), p(-math.MaxFloat64), nil, nil, [Dim]float32{1, -1, 0, 1}},
		"absurd span":            {p(-math.MaxFloat64), p(math.MaxFloat64), nil, nil, [Dim]float32{1, 0, 1, log(41) / log(2001)}},
		"the equator":            {nil, nil, p(0), p(0), [Dim]float32{4: 1, 1, 0, 0}},
		"north pole":             {nil, nil, p(90), p(77), [Dim]float32{4: 1, 0, 0, 1}},
		"south east":             {nil, nil, p(-45), p(90), [Dim]float32{4: 1, 0, half, -half}},
		"once round":             {nil, nil, p(45), p(360 + 180), [Dim]float32{4: 1, -half, 0, half}},
		"latitude alone":         {nil, nil, p(12), nil, [Dim]float32{}},
		"longitude alone":        {nil, nil, nil, p(12), [Dim]float32{}},
		"beyond the pole":        {nil, nil, p(90.5), p(12), [Dim]float32{}},
		"longitude no number":    {nil, nil, p(9), p(math.Inf(1)), [Dim]float32{}},
		"a year and no place":    {p(1000), p(1000), p(math.NaN()), p(0), [Dim]float32{1, 0.25, 0, log(21) / log(2001)}},
		"a place with no date":   {p(math.NaN()), nil, p(0), p(0), [Dim]float32{4: 1, 1, 0, 0}},
		"a date and its place":   {p(0), p(0), p(0), p(-90), [Dim]float32{1, 0, 0, log(41) / log(2001), 1, 0, -1, 0}},
		"absurd, but a meridian": {nil, nil, p(0), p(math.MaxFloat64), encode(nil, nil, p(0), p(math.Mod(math.MaxFloat64, 360)))},
	} {
		got := encode(c.begin, c.end, c.lat, c.lon)
		for i := range got {
			if math.Abs(float64(got[i]-c.want[i])) > 1e-6 {
				t.Errorf("%s: number %d is %v, want %v", name, i, got[i], c.want[i])
			}
		}
	}
}

// TestNearIsNear checks what the numbers are for on random dates and places.
func TestNearIsNear(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		lat, lon := rng.Float64()*180-90, rng.Float64()*360-180
		a := encode(nil, nil, &lat, &lon)
		b := encode(nil, nil, p(rng.Float64()*180-90), p(rng.Float64()*360-180))
		if n := dot(a[5:], a[5:]); math.Abs(n-1) > 1e-6 {
			t.Fatalf("%v, %v lies %v from the centre", lat, lon, n)
		}
		if d := dot(a[5:], b[5:]); d < -1-1e-6 || d > 1+1e-6 {
			t.Fatalf("cosine %v of two places", d)
		}
		// In order: an earlier year is smaller in 1 and greater in 3.
		y := rng.Float64()*7000 - 4000
		early, late := encode(&y, &y, nil, nil), encode(p(y+10), p(y+10), nil, nil)
		if early[1] >= late[1] || early[3] <= late[3] {
			t.Fatalf("year %v: %v, ten years later %v", y, early, late)
		}
	}
	fiji, samoa := encode(nil, nil, p(-17), p(179.9)), encode(nil, nil, p(-17), p(-179.9))
	if d := dot(fiji[5:], samoa[5:]); d < 0.9999 {
		t.Errorf("across the date line: cosine %v", d)
	}
}

func TestEncodeRefusesAnotherLength(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("7 numbers: no panic")
		}
	}()
	Encode(nil, nil, nil, nil, make([]float32, Dim-1))
}

func FuzzEncode(f *testing.F) {
	f.Add(1501.0, 1600.0, 41.0, 29.0)
	f.Add(math.Inf(1), math.NaN(), 91.0, -math.MaxFloat64)
	f.Fuzz(func(t *testing.T, begin, end, lat, lon float64) {
		v := encode(&begin, &end, &lat, &lon)
		for i, x := range v {
			if !(x >= -1 && x <= 1) {
				t.Fatalf("number %d of %v..%v at %v, %v is %v", i, begin, end, lat, lon, x)
			}
		}
		if v != encode(&end, &begin, &lat, &lon) {
			t.Fatalf("%v..%v depends on the order", begin, end)
		}
	})
}

func dot(a, b []float32) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func TestOf(t *testing.T) {
	t.Parallel()
	if got := Of(&profile.Artifact{}); !slices.Equal(got, make([]float32, Dim)) {
		t.Errorf("of nothing: %v", got)
	}
	a := &profile.Artifact{Date: &profile.Date{Begin: p(1501), End: p(1600)}, Location: &profile.Location{Lat: 41, Lon: 29}}
	if want := encode(p(1501), p(1600), p(41), p(29)); !slices.Equal(Of(a), want[:]) {
		t.Errorf("got %v, want %v", Of(a), want)
	}
}
