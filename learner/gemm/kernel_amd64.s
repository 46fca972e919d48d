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

// TRANSPOSE turns the 8x8 floats at R8 (rows R9 bytes apart; R10 = R8+3*R9,
// R11 = R8+6*R9) and stores its columns 64 bytes apart at DI+OFF.
// Three rounds of exchanges between pairs of rows: of floats, of pairs, of halves.
#define TRANSPOSE(OFF) \
	VMOVUPS    (R8), Y0              \
	VMOVUPS    (R8)(R9*1), Y1        \
	VMOVUPS    (R8)(R9*2), Y2        \
	VMOVUPS    (R10), Y3             \
	VMOVUPS    (R8)(R9*4), Y4        \
	VMOVUPS    (R10)(R9*2), Y5       \
	VMOVUPS    (R11), Y6             \
	VMOVUPS    (R10)(R9*4), Y7       \
	VUNPCKLPS  Y1, Y0, Y8            \
	VUNPCKHPS  Y1, Y0, Y9            \
	VUNPCKLPS  Y3, Y2, Y10           \
	VUNPCKHPS  Y3, Y2, Y11           \
	VUNPCKLPS  Y5, Y4, Y12           \
	VUNPCKHPS  Y5, Y4, Y13           \
	VUNPCKLPS  Y7, Y6, Y14           \
	VUNPCKHPS  Y7, Y6, Y15           \
	VUNPCKLPD  Y10, Y8, Y0           \
	VUNPCKHPD  Y10, Y8, Y1           \
	VUNPCKLPD  Y11, Y9, Y2           \
	VUNPCKHPD  Y11, Y9, Y3           \
	VUNPCKLPD  Y14, Y12, Y4          \
	VUNPCKHPD  Y14, Y12, Y5          \
	VUNPCKLPD  Y15, Y13, Y6          \
	VUNPCKHPD  Y15, Y13, Y7          \
	VPERM2F128 $0x20, Y4, Y0, Y8     \
	VPERM2F128 $0x20, Y5, Y1, Y9     \
	VPERM2F128 $0x20, Y6, Y2, Y10    \
	VPERM2F128 $0x20, Y7, Y3, Y11    \
	VPERM2F128 $0x31, Y4, Y0, Y12    \
	VPERM2F128 $0x31, Y5, Y1, Y13    \
	VPERM2F128 $0x31, Y6, Y2, Y14    \
	VPERM2F128 $0x31, Y7, Y3, Y15    \
	VMOVUPS    Y8, (OFF+0)(DI)       \
	VMOVUPS    Y9, (OFF+64)(DI)      \
	VMOVUPS    Y10, (OFF+128)(DI)    \
	VMOVUPS    Y11, (OFF+192)(DI)    \
	VMOVUPS    Y12, (OFF+256)(DI)    \
	VMOVUPS    Y13, (OFF+320)(DI)    \
	VMOVUPS    Y14, (OFF+384)(DI)    \
	VMOVUPS    Y15, (OFF+448)(DI)

// func transpose16AVX2(eights int, src *float32, ld int, dst *float32)
TEXT ·transpose16AVX2(SB), NOSPLIT, $0-32
	MOVQ eights+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
	LEAQ (R9)(R9*2), DX // 3 rows
	TESTQ CX, CX
	JZ   done
next:
	MOVQ SI, R8
	LEAQ (R8)(DX*1), R10
	LEAQ (R8)(DX*2), R11
	TRANSPOSE(0)
	LEAQ (SI)(R9*8), R8
	LEAQ (R8)(DX*1), R10
	LEAQ (R8)(DX*2), R11
	TRANSPOSE(32)
	ADDQ $32, SI
	ADDQ $512, DI
	DECQ CX
	JNZ  next
done:
	VZEROUPPER
	RET

// func copy6AVX2(k int, src *float32, ld int, dst *float32)
// k rows of 6, ld bytes apart, to dst without gaps. k is at least 1.
TEXT ·copy6AVX2(SB), NOSPLIT, $0-32
	MOVQ k+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
copy6:
	VMOVUPS (SI), X0
	MOVQ    16(SI), AX
	VMOVUPS X0, (DI)
	MOVQ    AX, 16(DI)
	ADDQ    R9, SI
	ADDQ    $24, DI
	DECQ    CX
	JNZ     copy6
	RET

// func copy16AVX2(k int, src *float32, ld int, dst *float32)
// The same for rows of 16.
TEXT ·copy16AVX2(SB), NOSPLIT, $0-32
	MOVQ k+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
copy16:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    R9, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     copy16
	VZEROUPPER
	RET
