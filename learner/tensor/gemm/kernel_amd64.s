#include "textflag.h"

// STEP is one step along k: 12 products of 2 vectors of B with 6 elements of A.
#define STEP(OFF) \
	VMOVUPS      OFF(SI), Y0       \
	VMOVUPS      (OFF+32)(SI), Y1  \
	VBROADCASTSS (R8), Y2          \
	VBROADCASTSS (R8)(R9*1), Y3    \
	VFMADD231PS  Y0, Y2, Y4        \
	VFMADD231PS  Y1, Y2, Y5        \
	VFMADD231PS  Y0, Y3, Y6        \
	VFMADD231PS  Y1, Y3, Y7        \
	VBROADCASTSS (R8)(R9*2), Y2    \
	VBROADCASTSS (R10), Y3         \
	ADDQ         R11, R8           \
	VFMADD231PS  Y0, Y2, Y8        \
	VFMADD231PS  Y1, Y2, Y9        \
	VFMADD231PS  Y0, Y3, Y10       \
	VFMADD231PS  Y1, Y3, Y11       \
	VBROADCASTSS (R10)(R9*1), Y2   \
	VBROADCASTSS (R10)(R9*2), Y3   \
	ADDQ         R11, R10          \
	VFMADD231PS  Y0, Y2, Y12       \
	VFMADD231PS  Y1, Y2, Y13       \
	VFMADD231PS  Y0, Y3, Y14       \
	VFMADD231PS  Y1, Y3, Y15

#define ADDROW(LO, HI) \
	VADDPS  (DI), LO, LO   \
	VADDPS  32(DI), HI, HI \
	VMOVUPS LO, (DI)       \
	VMOVUPS HI, 32(DI)     \
	ADDQ    DX, DI

#define SETROW(LO, HI) \
	VMOVUPS LO, (DI)   \
	VMOVUPS HI, 32(DI) \
	ADDQ    DX, DI

// func kernelAVX2(k int, a *float32, rowStride, colStride int, b, c *float32, ldc int, add bool)
TEXT ·kernelAVX2(SB), NOSPLIT, $0-57
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), R8
	MOVQ rowStride+16(FP), R9
	MOVQ colStride+24(FP), R11
	MOVQ b+32(FP), SI
	MOVQ c+40(FP), DI
	MOVQ ldc+48(FP), DX
	LEAQ (R9)(R9*2), R10
	ADDQ R8, R10

	// The lines of C are wanted at the end.
	MOVQ       DI, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ       DX, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ       DX, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ       DX, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ       DX, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)
	ADDQ       DX, AX
	PREFETCHT0 (AX)
	PREFETCHT0 60(AX)

	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	VXORPS Y12, Y12, Y12
	VXORPS Y13, Y13, Y13
	VXORPS Y14, Y14, Y14
	VXORPS Y15, Y15, Y15

	MOVQ CX, BX
	SHRQ $2, BX
	JZ   rest
four:
	STEP(0)
	STEP(64)
	STEP(128)
	STEP(192)
	ADDQ $256, SI
	DECQ BX
	JNZ  four
rest:
	ANDQ $3, CX
	JZ   store
one:
	STEP(0)
	ADDQ $64, SI
	DECQ CX
	JNZ  one
store:
	MOVBLZX add+56(FP), AX
	TESTL   AX, AX
	JZ      set
	ADDROW(Y4, Y5)
	ADDROW(Y6, Y7)
	ADDROW(Y8, Y9)
	ADDROW(Y10, Y11)
	ADDROW(Y12, Y13)
	ADDROW(Y14, Y15)
	VZEROUPPER
	RET
set:
	SETROW(Y4, Y5)
	SETROW(Y6, Y7)
	SETROW(Y8, Y9)
	SETROW(Y10, Y11)
	SETROW(Y12, Y13)
	SETROW(Y14, Y15)
	VZEROUPPER
	RET
