//go:build !purego

#include "textflag.h"

DATA lowest<>+0(SB)/4, $0xff800000
GLOBL lowest<>(SB), RODATA|NOPTR, $4

// func boundsAVX2(f *factors, numbers, products, words, entities, total, general *float32, peaks *peak)
//
// A row of numbers is 1,024 bytes long, in the order of rowRest .. rowGeneral; a stride is 256 bytes.
TEXT ·boundsAVX2(SB), NOSPLIT, $0-64
	MOVQ f+0(FP), SI
	MOVQ numbers+8(FP), DI
	MOVQ products+16(FP), R8
	MOVQ words+24(FP), R9
	MOVQ entities+32(FP), R10
	MOVQ total+40(FP), R11
	MOVQ general+48(FP), R12
	MOVQ peaks+56(FP), R13
	VBROADCASTSS 0(SI), Y9
	VBROADCASTSS 4(SI), Y10
	VBROADCASTSS 8(SI), Y11
	VBROADCASTSS 12(SI), Y12
	VBROADCASTSS 16(SI), Y13
	VBROADCASTSS 20(SI), Y14
	VBROADCASTSS 24(SI), Y15
	XORQ CX, CX

strides:
	VBROADCASTSS lowest<>(SB), Y4
	VMOVAPS Y4, Y5
	VMOVAPS Y4, Y6
	VMOVAPS Y4, Y7
	LEAQ    256(CX), DX

eight:
	VMULPS      (R8)(CX*1), Y9, Y0
	VFMADD231PS (DI)(CX*1), Y10, Y0
	VFMADD231PS 1024(DI)(CX*1), Y11, Y0
	VMOVUPS     2048(DI)(CX*1), Y2
	VMULPS      Y2, Y13, Y2
	VFMADD231PS 3072(DI)(CX*1), Y14, Y2
	VFMADD231PS 4096(DI)(CX*1), Y15, Y2
	VMOVUPS     (R9)(CX*1), Y3
	VFMADD231PS 5120(DI)(CX*1), Y3, Y2
	VMOVUPS     (R10)(CX*1), Y1
	VFMADD231PS 6144(DI)(CX*1), Y1, Y2
	VFMADD231PS Y0, Y12, Y2
	VMOVUPS     Y0, (R12)(CX*1)
	VMOVUPS     Y2, (R11)(CX*1)
	VMAXPS      Y2, Y4, Y4
	VMAXPS      Y0, Y5, Y5
	VADDPS      7168(DI)(CX*1), Y2, Y2
	VADDPS      8192(DI)(CX*1), Y0, Y0
	VMAXPS      Y2, Y6, Y6
	VMAXPS      Y0, Y7, Y7
	ADDQ        $32, CX
	CMPQ        CX, DX
	JLT         eight

	VEXTRACTF128 $1, Y4, X0
	VMAXPS       X0, X4, X4
	VPERMILPD    $1, X4, X0
	VMAXPS       X0, X4, X4
	VMOVSHDUP    X4, X0
	VMAXSS       X0, X4, X4
	VMOVSS       X4, 0(R13)
	VEXTRACTF128 $1, Y5, X0
	VMAXPS       X0, X5, X5
	VPERMILPD    $1, X5, X0
	VMAXPS       X0, X5, X5
	VMOVSHDUP    X5, X0
	VMAXSS       X0, X5, X5
	VMOVSS       X5, 4(R13)
	VEXTRACTF128 $1, Y6, X0
	VMAXPS       X0, X6, X6
	VPERMILPD    $1, X6, X0
	VMAXPS       X0, X6, X6
	VMOVSHDUP    X6, X0
	VMAXSS       X0, X6, X6
	VMOVSS       X6, 8(R13)
	VEXTRACTF128 $1, Y7, X0
	VMAXPS       X0, X7, X7
	VPERMILPD    $1, X7, X0
	VMAXPS       X0, X7, X7
	VMOVSHDUP    X7, X0
	VMAXSS       X0, X7, X7
	VMOVSS       X7, 12(R13)
	ADDQ $16, R13
	CMPQ CX, $1024
	JLT  strides
	VZEROUPPER
	RET
