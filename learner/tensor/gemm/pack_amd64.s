#include "textflag.h"

// TRANSPOSE turns the 8x8 floats at R8 (rows R9 bytes apart; R10 = R8+3*R9,
// R11 = R8+6*R9) and stores its columns STEP bytes apart at DI+OFF.
// Three rounds of exchanges between pairs of rows: of floats, of pairs, of halves.
#define TRANSPOSE(OFF, STEP) \
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
	VMOVUPS    Y8, OFF(DI)           \
	VMOVUPS    Y9, (OFF+STEP)(DI)    \
	VMOVUPS    Y10, (OFF+2*STEP)(DI) \
	VMOVUPS    Y11, (OFF+3*STEP)(DI) \
	VMOVUPS    Y12, (OFF+4*STEP)(DI) \
	VMOVUPS    Y13, (OFF+5*STEP)(DI) \
	VMOVUPS    Y14, (OFF+6*STEP)(DI) \
	VMOVUPS    Y15, (OFF+7*STEP)(DI)

// EIGHT is TRANSPOSE of the eight rows from R8, which then is at the next eight; DX is 3 rows.
#define EIGHT(OFF, STEP) \
	LEAQ (R8)(DX*1), R10 \
	LEAQ (R8)(DX*2), R11 \
	TRANSPOSE(OFF, STEP) \
	LEAQ (R8)(R9*8), R8

// func transpose16AVX2(eights int, src *float32, ld int, dst *float32)
TEXT ·transpose16AVX2(SB), NOSPLIT, $0-32
	MOVQ eights+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
	LEAQ (R9)(R9*2), DX
next:
	MOVQ SI, R8
	EIGHT(0, 64)
	EIGHT(32, 64)
	ADDQ $32, SI
	ADDQ $512, DI
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// func transpose32AVX2(eights int, src *float32, ld int, dst *float32)
TEXT ·transpose32AVX2(SB), NOSPLIT, $0-32
	MOVQ eights+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
	LEAQ (R9)(R9*2), DX
next:
	MOVQ SI, R8
	EIGHT(0, 128)
	EIGHT(32, 128)
	EIGHT(64, 128)
	EIGHT(96, 128)
	ADDQ $32, SI
	ADDQ $1024, DI
	DECQ CX
	JNZ  next
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

// func copy8AVX2(k int, src *float32, ld int, dst *float32)
// The same for rows of 8.
TEXT ·copy8AVX2(SB), NOSPLIT, $0-32
	MOVQ k+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
copy8:
	VMOVUPS (SI), Y0
	VMOVUPS Y0, (DI)
	ADDQ    R9, SI
	ADDQ    $32, DI
	DECQ    CX
	JNZ     copy8
	VZEROUPPER
	RET

// func copy32AVX512(k int, src *float32, ld int, dst *float32)
// The same for rows of 32.
TEXT ·copy32AVX512(SB), NOSPLIT, $0-32
	MOVQ k+0(FP), CX
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R9
	MOVQ dst+24(FP), DI
copy32:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ    R9, SI
	ADDQ    $128, DI
	DECQ    CX
	JNZ     copy32
	VZEROUPPER
	RET
