#include "textflag.h"

// The registers: Z0 and Z1 are a row of B, Z2 to Z9 elements of A, Z16 to Z31 the tile of C, two a row.

// STEP4 is one step along k for the four rows from P: 8 products of 2 vectors of B with 4 elements of A.
#define STEP4(P, A0, A1, A2, A3, C00, C01, C10, C11, C20, C21, C30, C31) \
	VBROADCASTSS (P), A0           \
	VBROADCASTSS (P)(R9*1), A1     \
	VBROADCASTSS (P)(R9*2), A2     \
	VBROADCASTSS (P)(R13*1), A3    \
	ADDQ         R11, P            \
	VFMADD231PS  Z0, A0, C00       \
	VFMADD231PS  Z1, A0, C01       \
	VFMADD231PS  Z0, A1, C10       \
	VFMADD231PS  Z1, A1, C11       \
	VFMADD231PS  Z0, A2, C20       \
	VFMADD231PS  Z1, A2, C21       \
	VFMADD231PS  Z0, A3, C30       \
	VFMADD231PS  Z1, A3, C31

#define UPPER(OFF) \
	VMOVUPS OFF(SI), Z0       \
	VMOVUPS (OFF+64)(SI), Z1  \
	STEP4(R8, Z2, Z3, Z4, Z5, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)

#define ALL(OFF) \
	UPPER(OFF) \
	STEP4(R10, Z6, Z7, Z8, Z9, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31)

// The lines of a row of C are wanted at the end.
#define WANT \
	PREFETCHT0 (AX)    \
	PREFETCHT0 64(AX)  \
	PREFETCHT0 124(AX) \
	ADDQ       DX, AX

#define ADDROW(LO, HI) \
	VADDPS  (DI), LO, LO   \
	VADDPS  64(DI), HI, HI \
	VMOVUPS LO, (DI)       \
	VMOVUPS HI, 64(DI)     \
	ADDQ    DX, DI

#define SETROW(LO, HI) \
	VMOVUPS LO, (DI)   \
	VMOVUPS HI, 64(DI) \
	ADDQ    DX, DI

// func kernelAVX512(rows, k int, a *float32, rowStride, colStride int, b, c *float32, ldc int, add bool)
// With 4 rows or fewer the lower half of the tile is left out.
TEXT ·kernelAVX512(SB), NOSPLIT, $0-65
	MOVQ rows+0(FP), R12
	MOVQ k+8(FP), CX
	MOVQ a+16(FP), R8
	MOVQ rowStride+24(FP), R9
	MOVQ colStride+32(FP), R11
	MOVQ b+40(FP), SI
	MOVQ c+48(FP), DI
	MOVQ ldc+56(FP), DX
	LEAQ (R9)(R9*2), R13 // 3 rows
	LEAQ (R8)(R9*4), R10 // the fifth row

	MOVQ   DI, AX
	WANT
	WANT
	WANT
	WANT
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	VPXORD Z20, Z20, Z20
	VPXORD Z21, Z21, Z21
	VPXORD Z22, Z22, Z22
	VPXORD Z23, Z23, Z23
	MOVQ   CX, BX
	ANDQ   $3, CX
	SHRQ   $2, BX
	CMPQ   R12, $4
	JLE    half
	WANT
	WANT
	WANT
	WANT
	VPXORD Z24, Z24, Z24
	VPXORD Z25, Z25, Z25
	VPXORD Z26, Z26, Z26
	VPXORD Z27, Z27, Z27
	VPXORD Z28, Z28, Z28
	VPXORD Z29, Z29, Z29
	VPXORD Z30, Z30, Z30
	VPXORD Z31, Z31, Z31
	TESTQ  BX, BX
	JZ     rest
four:
	ALL(0)
	ALL(128)
	ALL(256)
	ALL(384)
	ADDQ $512, SI
	DECQ BX
	JNZ  four
rest:
	TESTQ CX, CX
	JZ    store
one:
	ALL(0)
	ADDQ $128, SI
	DECQ CX
	JNZ  one
	JMP  store

half:
	TESTQ BX, BX
	JZ    halfrest
halffour:
	UPPER(0)
	UPPER(128)
	UPPER(256)
	UPPER(384)
	ADDQ $512, SI
	DECQ BX
	JNZ  halffour
halfrest:
	TESTQ CX, CX
	JZ    store
halfone:
	UPPER(0)
	ADDQ $128, SI
	DECQ CX
	JNZ  halfone

store:
	MOVBLZX add+64(FP), AX
	TESTL   AX, AX
	JZ      set
	ADDROW(Z16, Z17)
	ADDROW(Z18, Z19)
	ADDROW(Z20, Z21)
	ADDROW(Z22, Z23)
	CMPQ R12, $4
	JLE  done
	ADDROW(Z24, Z25)
	ADDROW(Z26, Z27)
	ADDROW(Z28, Z29)
	ADDROW(Z30, Z31)
	VZEROUPPER
	RET
set:
	SETROW(Z16, Z17)
	SETROW(Z18, Z19)
	SETROW(Z20, Z21)
	SETROW(Z22, Z23)
	CMPQ R12, $4
	JLE  done
	SETROW(Z24, Z25)
	SETROW(Z26, Z27)
	SETROW(Z28, Z29)
	SETROW(Z30, Z31)
done:
	VZEROUPPER
	RET
