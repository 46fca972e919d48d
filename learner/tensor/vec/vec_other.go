//go:build !amd64

package vec

func dotSIMD(_, _ []float32) (done int, sum float32) { return 0, 0 }

func axpySIMD(float32, []float32, []float32) (done int) { return 0 }

func gatherSIMD([]int32, []float32, []float32, int, []float32, bool) (done int) { return 0 }

func sumRowsSIMD([][]float32, []float32, []float32, bool) (done int) { return 0 }

func expSIMD(_, _ []float32, _, _ float32) (done int, sum float32) { return 0, 0 }

func maxSIMD([]float32) (done int, most float32) { return 0, 0 }

func adamSIMD(_, _, _, _ []float32, _ *[8]float32) (done int) { return 0 }

func addReLUSIMD(_, _ []float32) (done int) { return 0 }

func reluGradSIMD(_, _ []float32, _ float32) (done int) { return 0 }

func geluSIMD(_, _, _ []float32) (done int) { return 0 }

func sumSIMD([]float32) (done int, sum float32) { return 0, 0 }

func deviationSIMD([]float32, float32) (done int, sum float32) { return 0, 0 }

func normSIMD(_, _, _, _ []float32, _, _ float32) (done int) { return 0 }

func normSumsSIMD(_, _, _, _, _ []float32, _, _ float32, _ *[2]float32) (done int) { return 0 }

func normGradSIMD(_, _, _, _ []float32, _ *[4]float32, _ bool) (done int) { return 0 }

func lerpSIMD(float32, []float32, []float32) (done int) { return 0 }

func dropSIMD(_, _ []float32, _ uint64, _ uint16, _ float32) (done int) { return 0 }

func addFixedSIMD([]float32, int64, []int64) (done int) { return 0 }

func addIntsSIMD(_, _ []int64) (done int) { return 0 }

func scaleIntsSIMD([]int64, float64, []float32) (done int) { return 0 }
