#include "textflag.h"

DATA consts<>+0(SB)/4, $0x3fb8aa3b  // log2(e)
DATA consts<>+4(SB)/4, $0x3f317200  // ln 2, its upper bits
DATA consts<>+8(SB)/4, $0x35bfbe8e  // ln 2, the rest
DATA consts<>+12(SB)/4, $0xc2ae0000 // -87
DATA consts<>+16(SB)/4, $0x42b00000 // 88
DATA consts<>+20(SB)/4, $0x3ab60b61 // 1/720
DATA consts<>+24(SB)/4, $0x3c088889 // 1/120
DATA consts<>+28(SB)/4, $0x3d2aaaab // 1/24
DATA consts<>+32(SB)/4, $0x3e2aaaab // 1/6
DATA consts<>+36(SB)/4, $0x3f000000 // 1/2
DATA consts<>+40(SB)/4, $0x3f800000 // 1
DATA consts<>+44(SB)/4, $0x0000007f // bias of the exponent
GLOBL consts<>(SB), RODATA|NOPTR, $48

// func dotAVX2(n int, x, y *float32) float32
// n is a multiple of 8.
TEXT ·dotAVX2(SB), NOSPLIT, $0-28
	MOVQ   n+0(FP), CX
	MOVQ   x+8(FP), SI
	MOVQ   y+16(FP), DI
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	MOVQ   CX, BX
	SHRQ   $5, BX
	JZ     dotrest
dotloop:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VFMADD231PS (DI), Y4, Y0
	VFMADD231PS 32(DI), Y5, Y1
	VFMADD231PS 64(DI), Y6, Y2
	VFMADD231PS 96(DI), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DI
	DECQ        BX
	JNZ         dotloop
dotrest:
	ANDQ $31, CX
	SHRQ $3, CX
	JZ   dotsum
doteight:
	VMOVUPS     (SI), Y4
	VFMADD231PS (DI), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DI
	DECQ        CX
	JNZ         doteight
dotsum:
	VADDPS       Y1, Y0, Y0
	VADDPS       Y3, Y2, Y2
	VADDPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET

// func axpyAVX2(n int, a float32, x, y *float32)
// n is a multiple of 8.
TEXT ·axpyAVX2(SB), NOSPLIT, $0-32
	MOVQ         n+0(FP), CX
	VBROADCASTSS a+8(FP), Y0
	MOVQ         x+16(FP), SI
	MOVQ         y+24(FP), DI
	SHRQ         $3, CX
	JZ           axpydone
axpyloop:
	VMOVUPS     (DI), Y1
	VFMADD231PS (SI), Y0, Y1
	VMOVUPS     Y1, (DI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	DECQ        CX
	JNZ         axpyloop
axpydone:
	VZEROUPPER
	RET

// func gatherAVX2(n int, idx *int32, w, table *float32, ld int, y *float32, cols int, add bool)
// y (+)= sum of w[k] * the row idx[k] of the table, rows ld bytes apart, for cols
// columns, a multiple of 8: 64 at a time in registers, then 32, then 8. n is at least 1. With 64, eight sums hide the
// latency of adding to one.
TEXT ·gatherAVX2(SB), NOSPLIT, $0-57
	MOVQ  n+0(FP), CX
	MOVQ  idx+8(FP), R8
	MOVQ  w+16(FP), R9
	MOVQ  table+24(FP), SI
	MOVQ  ld+32(FP), R10
	MOVQ  y+40(FP), DI
	MOVQ  cols+48(FP), DX
	MOVBLZX add+56(FP), R11
gwidest:
	CMPQ    DX, $64
	JLT     gwide
	XORQ    BX, BX
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	VXORPS  Y2, Y2, Y2
	VXORPS  Y3, Y3, Y3
	VXORPS  Y5, Y5, Y5
	VXORPS  Y6, Y6, Y6
	VXORPS  Y7, Y7, Y7
	VXORPS  Y8, Y8, Y8
	TESTL   R11, R11
	JZ      gwidestloop
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y5
	VMOVUPS 160(DI), Y6
	VMOVUPS 192(DI), Y7
	VMOVUPS 224(DI), Y8
gwidestloop:
	MOVLQSX      (R8)(BX*4), AX
	IMULQ        R10, AX
	VBROADCASTSS (R9)(BX*4), Y4
	VFMADD231PS  (SI)(AX*1), Y4, Y0
	VFMADD231PS  32(SI)(AX*1), Y4, Y1
	VFMADD231PS  64(SI)(AX*1), Y4, Y2
	VFMADD231PS  96(SI)(AX*1), Y4, Y3
	VFMADD231PS  128(SI)(AX*1), Y4, Y5
	VFMADD231PS  160(SI)(AX*1), Y4, Y6
	VFMADD231PS  192(SI)(AX*1), Y4, Y7
	VFMADD231PS  224(SI)(AX*1), Y4, Y8
	INCQ         BX
	CMPQ         BX, CX
	JLT          gwidestloop
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	VMOVUPS      Y5, 128(DI)
	VMOVUPS      Y6, 160(DI)
	VMOVUPS      Y7, 192(DI)
	VMOVUPS      Y8, 224(DI)
	ADDQ         $256, DI
	ADDQ         $256, SI
	SUBQ         $64, DX
	JMP          gwidest
gwide:
	CMPQ    DX, $32
	JLT     gnarrow
	XORQ    BX, BX
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	VXORPS  Y2, Y2, Y2
	VXORPS  Y3, Y3, Y3
	TESTL   R11, R11
	JZ      gwideloop
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
gwideloop:
	MOVLQSX      (R8)(BX*4), AX
	IMULQ        R10, AX
	VBROADCASTSS (R9)(BX*4), Y4
	VFMADD231PS  (SI)(AX*1), Y4, Y0
	VFMADD231PS  32(SI)(AX*1), Y4, Y1
	VFMADD231PS  64(SI)(AX*1), Y4, Y2
	VFMADD231PS  96(SI)(AX*1), Y4, Y3
	INCQ         BX
	CMPQ         BX, CX
	JLT          gwideloop
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	ADDQ         $128, DI
	ADDQ         $128, SI
	SUBQ         $32, DX
	JMP          gwide
gnarrow:
	TESTQ   DX, DX
	JZ      gdone
	XORQ    BX, BX
	VXORPS  Y0, Y0, Y0
	TESTL   R11, R11
	JZ      gnarrowloop
	VMOVUPS (DI), Y0
gnarrowloop:
	MOVLQSX      (R8)(BX*4), AX
	IMULQ        R10, AX
	VBROADCASTSS (R9)(BX*4), Y4
	VFMADD231PS  (SI)(AX*1), Y4, Y0
	INCQ         BX
	CMPQ         BX, CX
	JLT          gnarrowloop
	VMOVUPS      Y0, (DI)
	ADDQ         $32, DI
	ADDQ         $32, SI
	SUBQ         $8, DX
	JMP          gnarrow
gdone:
	VZEROUPPER
	RET

// func sumRowsAVX2(n int, rows *[]float32, w, y *float32, cols int, add bool)
// y (+)= sum of w[k] * row k, for cols columns, a multiple of 8: 64 at a time in registers, then 8. n is at least 1. R8
// walks over the rows' slices, 24 bytes each; SI is the place of the column in a row.
TEXT ·sumRowsAVX2(SB), NOSPLIT, $0-41
	MOVQ  n+0(FP), CX
	MOVQ  w+16(FP), R9
	MOVQ  y+24(FP), DI
	MOVQ  cols+32(FP), DX
	MOVBLZX add+40(FP), R11
	XORQ  SI, SI
swide:
	CMPQ    DX, $64
	JLT     snarrow
	MOVQ    rows+8(FP), R8
	XORQ    BX, BX
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	VXORPS  Y2, Y2, Y2
	VXORPS  Y3, Y3, Y3
	VXORPS  Y5, Y5, Y5
	VXORPS  Y6, Y6, Y6
	VXORPS  Y7, Y7, Y7
	VXORPS  Y8, Y8, Y8
	TESTL   R11, R11
	JZ      swideloop
	VMOVUPS (DI)(SI*1), Y0
	VMOVUPS 32(DI)(SI*1), Y1
	VMOVUPS 64(DI)(SI*1), Y2
	VMOVUPS 96(DI)(SI*1), Y3
	VMOVUPS 128(DI)(SI*1), Y5
	VMOVUPS 160(DI)(SI*1), Y6
	VMOVUPS 192(DI)(SI*1), Y7
	VMOVUPS 224(DI)(SI*1), Y8
swideloop:
	MOVQ         (R8), AX
	ADDQ         $24, R8
	VBROADCASTSS (R9)(BX*4), Y4
	VFMADD231PS  (AX)(SI*1), Y4, Y0
	VFMADD231PS  32(AX)(SI*1), Y4, Y1
	VFMADD231PS  64(AX)(SI*1), Y4, Y2
	VFMADD231PS  96(AX)(SI*1), Y4, Y3
	VFMADD231PS  128(AX)(SI*1), Y4, Y5
	VFMADD231PS  160(AX)(SI*1), Y4, Y6
	VFMADD231PS  192(AX)(SI*1), Y4, Y7
	VFMADD231PS  224(AX)(SI*1), Y4, Y8
	INCQ         BX
	CMPQ         BX, CX
	JLT          swideloop
	VMOVUPS      Y0, (DI)(SI*1)
	VMOVUPS      Y1, 32(DI)(SI*1)
	VMOVUPS      Y2, 64(DI)(SI*1)
	VMOVUPS      Y3, 96(DI)(SI*1)
	VMOVUPS      Y5, 128(DI)(SI*1)
	VMOVUPS      Y6, 160(DI)(SI*1)
	VMOVUPS      Y7, 192(DI)(SI*1)
	VMOVUPS      Y8, 224(DI)(SI*1)
	ADDQ         $256, SI
	SUBQ         $64, DX
	JMP          swide
snarrow:
	TESTQ   DX, DX
	JZ      sdone
	MOVQ    rows+8(FP), R8
	XORQ    BX, BX
	VXORPS  Y0, Y0, Y0
	TESTL   R11, R11
	JZ      snarrowloop
	VMOVUPS (DI)(SI*1), Y0
snarrowloop:
	MOVQ         (R8), AX
	ADDQ         $24, R8
	VBROADCASTSS (R9)(BX*4), Y4
	VFMADD231PS  (AX)(SI*1), Y4, Y0
	INCQ         BX
	CMPQ         BX, CX
	JLT          snarrowloop
	VMOVUPS      Y0, (DI)(SI*1)
	ADDQ         $32, SI
	SUBQ         $8, DX
	JMP          snarrow
sdone:
	VZEROUPPER
	RET

// func expAVX2(n int, x, y *float32, scale, shift float32) float32
// y = exp(scale*x + shift); returns the sum. n is a multiple of 8. The argument
// is brought to -87..88 and split into n ln 2 + r; exp r by its Taylor series to
// the sixth power.
TEXT ·expAVX2(SB), NOSPLIT, $0-36
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         y+16(FP), DI
	VBROADCASTSS scale+24(FP), Y14
	VBROADCASTSS shift+28(FP), Y15
	VBROADCASTSS consts<>+0(SB), Y13
	VBROADCASTSS consts<>+4(SB), Y12
	VBROADCASTSS consts<>+8(SB), Y11
	VBROADCASTSS consts<>+12(SB), Y10
	VBROADCASTSS consts<>+16(SB), Y9
	VBROADCASTSS consts<>+36(SB), Y8
	VBROADCASTSS consts<>+40(SB), Y7
	VBROADCASTSS consts<>+44(SB), Y6
	VXORPS       Y5, Y5, Y5
	SHRQ         $3, CX
	JZ           expdone
exploop:
	VMOVUPS      (SI), Y0
	VFMADD213PS  Y15, Y14, Y0
	VMAXPS       Y10, Y0, Y0
	VMINPS       Y9, Y0, Y0
	VMULPS       Y13, Y0, Y1
	VROUNDPS     $0, Y1, Y1
	VFNMADD231PS Y12, Y1, Y0
	VFNMADD231PS Y11, Y1, Y0
	VCVTPS2DQ    Y1, Y1
	VPADDD       Y6, Y1, Y1
	VPSLLD       $23, Y1, Y1
	VBROADCASTSS consts<>+20(SB), Y2
	VBROADCASTSS consts<>+24(SB), Y3
	VFMADD213PS  Y3, Y0, Y2
	VBROADCASTSS consts<>+28(SB), Y3
	VFMADD213PS  Y3, Y0, Y2
	VBROADCASTSS consts<>+32(SB), Y3
	VFMADD213PS  Y3, Y0, Y2
	VFMADD213PS  Y8, Y0, Y2
	VFMADD213PS  Y7, Y0, Y2
	VFMADD213PS  Y7, Y0, Y2
	VMULPS       Y1, Y2, Y2
	VMOVUPS      Y2, (DI)
	VADDPS       Y2, Y5, Y5
	ADDQ         $32, SI
	ADDQ         $32, DI
	DECQ         CX
	JNZ          exploop
expdone:
	VEXTRACTF128 $1, Y5, X1
	VADDPS       X1, X5, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+32(FP)
	VZEROUPPER
	RET

// func adamAVX2(n int, p, grad, m, v *float32, c *[8]float32)
// c: beta1, 1-beta1, beta2, 1-beta2, rate/(1-beta1^t), 1/sqrt(1-beta2^t), epsilon,
// 1-rate*decay. n is a multiple of 8.
TEXT ·adamAVX2(SB), NOSPLIT, $0-48
	MOVQ         n+0(FP), CX
	MOVQ         p+8(FP), DI
	MOVQ         grad+16(FP), SI
	MOVQ         m+24(FP), R8
	MOVQ         v+32(FP), R9
	MOVQ         c+40(FP), AX
	VBROADCASTSS 0(AX), Y8
	VBROADCASTSS 4(AX), Y9
	VBROADCASTSS 8(AX), Y10
	VBROADCASTSS 12(AX), Y11
	VBROADCASTSS 16(AX), Y12
	VBROADCASTSS 20(AX), Y13
	VBROADCASTSS 24(AX), Y14
	VBROADCASTSS 28(AX), Y15
	SHRQ         $3, CX
	JZ           adamdone
adamloop:
	VMOVUPS     (SI), Y0
	VMULPS      (R8), Y8, Y1
	VFMADD231PS Y9, Y0, Y1
	VMOVUPS     Y1, (R8)
	VMULPS      Y0, Y0, Y0
	VMULPS      (R9), Y10, Y2
	VFMADD231PS Y11, Y0, Y2
	VMOVUPS     Y2, (R9)
	VSQRTPS     Y2, Y2
	VFMADD213PS Y14, Y13, Y2
	VMULPS      Y12, Y1, Y1
	VDIVPS      Y2, Y1, Y1
	VMULPS      (DI), Y15, Y3
	VSUBPS      Y1, Y3, Y3
	VMOVUPS     Y3, (DI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	ADDQ        $32, R8
	ADDQ        $32, R9
	DECQ        CX
	JNZ         adamloop
adamdone:
	VZEROUPPER
	RET

// func maxAVX2(n int, x *float32) float32
// n is a multiple of 8, not 0. A NaN is passed over unless it is among the first 8.
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ    n+0(FP), CX
	MOVQ    x+8(FP), SI
	VMOVUPS (SI), Y0
	SHRQ    $3, CX
maxloop:
	VMOVUPS (SI), Y1
	VMAXPS  Y0, Y1, Y0
	ADDQ    $32, SI
	DECQ    CX
	JNZ     maxloop
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X0, X1, X0
	VSHUFPS      $0x4e, X0, X0, X1
	VMAXPS       X0, X1, X0
	VSHUFPS      $0xb1, X0, X0, X1
	VMAXPS       X0, X1, X0
	VZEROUPPER
	MOVSS X0, ret+16(FP)
	RET

// func addReLUAVX2(n int, b, y *float32)
// y = max(y + b, 0), a NaN stays one. n is a multiple of 8.
TEXT ·addReLUAVX2(SB), NOSPLIT, $0-24
	MOVQ   n+0(FP), CX
	MOVQ   b+8(FP), SI
	MOVQ   y+16(FP), DI
	VXORPS Y1, Y1, Y1
	SHRQ   $3, CX
reluloop:
	VMOVUPS (DI), Y0
	VADDPS  (SI), Y0, Y0
	VMAXPS  Y0, Y1, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	DECQ    CX
	JNZ     reluloop
	VZEROUPPER
	RET

// func reluGradAVX2(n int, y, grad *float32, scale float32)
// grad = scale*grad where y > 0, else 0. n is a multiple of 8.
TEXT ·reluGradAVX2(SB), NOSPLIT, $0-28
	MOVQ         n+0(FP), CX
	MOVQ         y+8(FP), SI
	MOVQ         grad+16(FP), DI
	VBROADCASTSS scale+24(FP), Y2
	VXORPS       Y1, Y1, Y1
	SHRQ         $3, CX
passloop:
	VMOVUPS (SI), Y0
	VCMPPS  $30, Y1, Y0, Y0 // greater
	VMULPS  (DI), Y2, Y3
	VANDPS  Y0, Y3, Y3
	VMOVUPS Y3, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	DECQ    CX
	JNZ     passloop
	VZEROUPPER
	RET

DATA gelus<>+0(SB)/4, $0x7fffffff
DATA gelus<>+4(SB)/4, $0x3e6d3388  // 0.3275911 / sqrt 2
DATA gelus<>+8(SB)/4, $0x3f87dc22  // 1.061405429
DATA gelus<>+12(SB)/4, $0xbfba00e3 // -1.453152027
DATA gelus<>+16(SB)/4, $0x3fb5f0e3 // 1.421413741
DATA gelus<>+20(SB)/4, $0xbe91a98e // -0.284496736
DATA gelus<>+24(SB)/4, $0x3e827906 // 0.254829592
DATA gelus<>+28(SB)/4, $0x3f000000 // 1/2
DATA gelus<>+32(SB)/4, $0x3f800000 // 1
DATA gelus<>+36(SB)/4, $0x3ecc422a // 1/sqrt(2 pi)
GLOBL gelus<>(SB), RODATA|NOPTR, $40

// func geluAVX2(n int, e, y, slope *float32)
// y = GELU(y) and slope its derivative, unless slope is nil; e = exp(-y*y/2). n
// is a multiple of 8.
TEXT ·geluAVX2(SB), NOSPLIT, $0-32
	MOVQ         n+0(FP), CX
	MOVQ         e+8(FP), SI
	MOVQ         y+16(FP), DI
	MOVQ         slope+24(FP), DX
	VBROADCASTSS gelus<>+0(SB), Y15
	VBROADCASTSS gelus<>+4(SB), Y14
	VBROADCASTSS gelus<>+8(SB), Y13
	VBROADCASTSS gelus<>+12(SB), Y12
	VBROADCASTSS gelus<>+16(SB), Y11
	VBROADCASTSS gelus<>+20(SB), Y10
	VBROADCASTSS gelus<>+24(SB), Y9
	VBROADCASTSS gelus<>+28(SB), Y8
	VBROADCASTSS gelus<>+32(SB), Y7
	VBROADCASTSS gelus<>+36(SB), Y6
	SHRQ         $3, CX
geluloop:
	VMOVUPS     (DI), Y0
	VMOVUPS     (SI), Y1
	VANDPS      Y15, Y0, Y2
	VFMADD213PS Y7, Y14, Y2
	VDIVPS      Y2, Y7, Y2 // k
	VMOVAPS     Y13, Y3
	VFMADD213PS Y12, Y2, Y3
	VFMADD213PS Y11, Y2, Y3
	VFMADD213PS Y10, Y2, Y3
	VFMADD213PS Y9, Y2, Y3
	VMULPS      Y2, Y3, Y3
	VMULPS      Y1, Y3, Y3
	VMULPS      Y8, Y3, Y3 // the tail
	VSUBPS      Y3, Y7, Y4
	VBLENDVPS   Y0, Y3, Y4, Y4 // Phi
	VMULPS      Y0, Y4, Y5
	VMOVUPS     Y5, (DI)
	TESTQ       DX, DX
	JZ          geluon
	VMULPS      Y0, Y1, Y1
	VFMADD231PS Y6, Y1, Y4
	VMOVUPS     Y4, (DX)
	ADDQ        $32, DX
geluon:
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  geluloop
	VZEROUPPER
	RET
