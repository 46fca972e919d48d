#include "textflag.h"

// SUM8 adds up the eight numbers of Y0 into X0; X1 is lost.
#define SUM8(Y, X) \
	VEXTRACTF128 $1, Y, X1 \
	VADDPS       X1, X, X  \
	VHADDPS      X, X, X   \
	VHADDPS      X, X, X

// func sumAVX2(n int, x *float32) float32
// n is a multiple of 8.
TEXT ·sumAVX2(SB), NOSPLIT, $0-20
	MOVQ   n+0(FP), CX
	MOVQ   x+8(FP), SI
	VXORPS Y0, Y0, Y0
	VXORPS Y2, Y2, Y2
	MOVQ   CX, BX
	SHRQ   $4, BX
	JZ     sumrest
sumloop:
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y2, Y2
	ADDQ   $64, SI
	DECQ   BX
	JNZ    sumloop
sumrest:
	TESTQ  $8, CX
	JZ     sumdone
	VADDPS (SI), Y0, Y0
sumdone:
	VADDPS Y2, Y0, Y0
	SUM8(Y0, X0)
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func deviationAVX2(n int, x *float32, mean float32) float32
// The sum of the squared distances from the mean. n is a multiple of 8.
TEXT ·deviationAVX2(SB), NOSPLIT, $0-28
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	VBROADCASTSS mean+16(FP), Y5
	VXORPS       Y0, Y0, Y0
	VXORPS       Y2, Y2, Y2
	MOVQ         CX, BX
	SHRQ         $4, BX
	JZ           devrest
devloop:
	VMOVUPS     (SI), Y3
	VMOVUPS     32(SI), Y4
	VSUBPS      Y5, Y3, Y3
	VSUBPS      Y5, Y4, Y4
	VFMADD231PS Y3, Y3, Y0
	VFMADD231PS Y4, Y4, Y2
	ADDQ        $64, SI
	DECQ        BX
	JNZ         devloop
devrest:
	TESTQ       $8, CX
	JZ          devdone
	VMOVUPS     (SI), Y3
	VSUBPS      Y5, Y3, Y3
	VFMADD231PS Y3, Y3, Y0
devdone:
	VADDPS Y2, Y0, Y0
	SUM8(Y0, X0)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func normAVX2(n int, x, gain, bias, y *float32, mean, scale float32)
// y = (x - mean)*scale*gain + bias. n is a multiple of 8.
TEXT ·normAVX2(SB), NOSPLIT, $0-48
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         gain+16(FP), R8
	MOVQ         bias+24(FP), R9
	MOVQ         y+32(FP), DI
	VBROADCASTSS mean+40(FP), Y5
	VBROADCASTSS scale+44(FP), Y6
	SHRQ         $3, CX
	XORQ         AX, AX
normloop:
	VMOVUPS     (SI)(AX*1), Y0
	VSUBPS      Y5, Y0, Y0
	VMULPS      Y6, Y0, Y0
	VMOVUPS     (R9)(AX*1), Y1
	VFMADD231PS (R8)(AX*1), Y0, Y1
	VMOVUPS     Y1, (DI)(AX*1)
	ADDQ        $32, AX
	DECQ        CX
	JNZ         normloop
	VZEROUPPER
	RET

// func normSumsAVX2(n int, x, dy, gain, dGain, dBias *float32, mean, scale float32, s *[2]float32)
// With h = (x - mean)*scale: dGain += dy*h, dBias += dy, s = the sums of dy*gain
// and of dy*gain*h. n is a multiple of 8.
TEXT ·normSumsAVX2(SB), NOSPLIT, $0-64
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         dy+16(FP), DX
	MOVQ         gain+24(FP), R8
	MOVQ         dGain+32(FP), R9
	MOVQ         dBias+40(FP), R10
	VBROADCASTSS mean+48(FP), Y5
	VBROADCASTSS scale+52(FP), Y6
	MOVQ         s+56(FP), R11
	VXORPS       Y7, Y7, Y7
	VXORPS       Y8, Y8, Y8
	SHRQ         $3, CX
	XORQ         AX, AX
sumsloop:
	VMOVUPS     (SI)(AX*1), Y0
	VSUBPS      Y5, Y0, Y0
	VMULPS      Y6, Y0, Y0
	VMOVUPS     (DX)(AX*1), Y2
	VMOVUPS     (R9)(AX*1), Y3
	VFMADD231PS Y0, Y2, Y3
	VMOVUPS     Y3, (R9)(AX*1)
	VADDPS      (R10)(AX*1), Y2, Y4
	VMOVUPS     Y4, (R10)(AX*1)
	VMULPS      (R8)(AX*1), Y2, Y2
	VADDPS      Y2, Y7, Y7
	VFMADD231PS Y0, Y2, Y8
	ADDQ        $32, AX
	DECQ        CX
	JNZ         sumsloop
	SUM8(Y7, X7)
	VMOVSS X7, (R11)
	SUM8(Y8, X8)
	VMOVSS X8, 4(R11)
	VZEROUPPER
	RET

// func normGradAVX2(n int, x, dy, gain, dx *float32, c *[4]float32, add bool)
// c: mean, scale, a, b. dx (+)= scale*(dy*gain - a - (x - mean)*scale*b). n is a
// multiple of 8.
TEXT ·normGradAVX2(SB), NOSPLIT, $0-49
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         dy+16(FP), DX
	MOVQ         gain+24(FP), R8
	MOVQ         dx+32(FP), DI
	MOVQ         c+40(FP), R9
	MOVBLZX      add+48(FP), BX
	VBROADCASTSS 0(R9), Y5
	VBROADCASTSS 4(R9), Y6
	VBROADCASTSS 8(R9), Y7
	VBROADCASTSS 12(R9), Y8
	SHRQ         $3, CX
	XORQ         AX, AX
gradloop:
	VMOVUPS      (SI)(AX*1), Y0
	VSUBPS       Y5, Y0, Y0
	VMULPS       Y6, Y0, Y0
	VMOVUPS      (DX)(AX*1), Y1
	VMULPS       (R8)(AX*1), Y1, Y1
	VSUBPS       Y7, Y1, Y1
	VFNMADD231PS Y8, Y0, Y1
	VMULPS       Y6, Y1, Y1
	TESTL        BX, BX
	JZ           gradset
	VADDPS       (DI)(AX*1), Y1, Y1
gradset:
	VMOVUPS Y1, (DI)(AX*1)
	ADDQ    $32, AX
	DECQ    CX
	JNZ     gradloop
	VZEROUPPER
	RET

// func lerpAVX2(n int, a float32, x, y *float32)
// y += a*(x - y). n is a multiple of 8.
TEXT ·lerpAVX2(SB), NOSPLIT, $0-32
	MOVQ         n+0(FP), CX
	VBROADCASTSS a+8(FP), Y2
	MOVQ         x+16(FP), SI
	MOVQ         y+24(FP), DI
	SHRQ         $3, CX
lerploop:
	VMOVUPS     (DI), Y0
	VMOVUPS     (SI), Y1
	VSUBPS      Y0, Y1, Y1
	VFMADD231PS Y1, Y2, Y0
	VMOVUPS     Y0, (DI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	DECQ        CX
	JNZ         lerploop
	VZEROUPPER
	RET

// HASH puts the mixed bits of the counter R8 into R; AX is lost.
#define HASH(R) \
	MOVQ  R8, R  \
	IMULQ R9, R  \
	MOVQ  R, AX  \
	SHRQ  $30, AX \
	XORQ  AX, R  \
	IMULQ R10, R \
	MOVQ  R, AX  \
	SHRQ  $27, AX \
	XORQ  AX, R  \
	IMULQ R11, R \
	MOVQ  R, AX  \
	SHRQ  $31, AX \
	XORQ  AX, R

// func dropAVX2(n int, x, y *float32, counter uint64, limit int32, scale float32)
// n is a multiple of 8.
TEXT ·dropAVX2(SB), NOSPLIT, $0-40
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         y+16(FP), DI
	MOVQ         counter+24(FP), R8
	MOVL         limit+32(FP), BX
	DECL         BX
	VMOVD        BX, X5
	VPBROADCASTD X5, Y5
	VBROADCASTSS scale+36(FP), Y6
	MOVQ         $0x9e3779b97f4a7c15, R9
	MOVQ         $0xbf58476d1ce4e5b9, R10
	MOVQ         $0x94d049bb133111eb, R11
	SHRQ         $3, CX
droploop:
	INCQ R8
	HASH(R12)
	INCQ R8
	HASH(R13)
	VMOVQ      R12, X0
	VPINSRQ    $1, R13, X0, X0
	VPMOVZXWD  X0, Y0
	VPCMPGTD   Y5, Y0, Y0 // not below the limit
	VMULPS     (SI), Y6, Y1
	VPAND      Y0, Y1, Y1
	VMOVUPS    Y1, (DI)
	ADDQ       $32, SI
	ADDQ       $32, DI
	DECQ       CX
	JNZ        droploop
	VZEROUPPER
	RET
