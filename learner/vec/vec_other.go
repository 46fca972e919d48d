//go:build !amd64

package vec

func dotMany(_, _ []float32) (done int, sum float32) { return 0, 0 }

func axpyMany(float32, []float32, []float32) (done int) { return 0 }

func gatherMany([]int32, []float32, []float32, int, []float32) (done int) { return 0 }

func expMany(_, _ []float32, _, _ float32) (done int, sum float32) { return 0, 0 }

func adamMany(_, _, _, _ []float32, _ *[8]float32) (done int) { return 0 }

func addReLUMany(_, _ []float32) (done int) { return 0 }

func passMany(_, _ []float32, _ float32) (done int) { return 0 }

func geluMany(_, _, _ []float32) (done int) { return 0 }
