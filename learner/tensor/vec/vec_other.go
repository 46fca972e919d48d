//go:build !amd64

package vec

func dotMany(_, _ []float32) (done int, sum float32) { return 0, 0 }

func axpyMany(float32, []float32, []float32) (done int) { return 0 }

func gatherMany([]int32, []float32, []float32, int, []float32, bool) (done int) { return 0 }

func expMany(_, _ []float32, _, _ float32) (done int, sum float32) { return 0, 0 }

func adamMany(_, _, _, _ []float32, _ *[8]float32) (done int) { return 0 }

func addReLUMany(_, _ []float32) (done int) { return 0 }

func passMany(_, _ []float32, _ float32) (done int) { return 0 }

func geluMany(_, _, _ []float32) (done int) { return 0 }

func sumMany([]float32) (done int, sum float32) { return 0, 0 }

func deviationMany([]float32, float32) (done int, sum float32) { return 0, 0 }

func normMany(_, _, _, _ []float32, _, _ float32) (done int) { return 0 }

func normSumsMany(_, _, _, _, _ []float32, _, _ float32, _ *[2]float32) (done int) { return 0 }

func normGradMany(_, _, _, _ []float32, _ *[4]float32, _ bool) (done int) { return 0 }

func lerpMany(float32, []float32, []float32) (done int) { return 0 }

func dropMany(_, _ []float32, _ uint64, _ uint16, _ float32) (done int) { return 0 }
