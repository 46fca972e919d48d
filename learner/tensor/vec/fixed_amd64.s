#include "textflag.h"

// The conversions round to the nearest, halves to even, by the rounding mode that Go keeps in MXCSR: as the loops in Go do.

// fixedOne is 2^32 in float64.
DATA fixedOne<>+0(SB)/8, $0x41f0000000000000
GLOBL fixedOne<>(SB), RODATA|NOPTR, $8

// func addFixedAVX512(n int, x *float32, y *int64)
// n is a multiple of 8, and not 0.
TEXT ·addFixedAVX512(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         y+16(FP), DI
	VBROADCASTSD fixedOne<>(SB), Z2
	SHRQ         $3, CX
addfixedloop:
	VCVTPS2PD (SI), Z0
	VMULPD    Z2, Z0, Z0
	VCVTPD2QQ Z0, Z0
	VPADDQ    (DI), Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	DECQ      CX
	JNZ       addfixedloop
	VZEROUPPER
	RET

// func subFixedAVX512(n int, x *float32, y *int64)
// n is a multiple of 8, and not 0.
TEXT ·subFixedAVX512(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	MOVQ         y+16(FP), DI
	VBROADCASTSD fixedOne<>(SB), Z2
	SHRQ         $3, CX
subfixedloop:
	VCVTPS2PD (SI), Z0
	VMULPD    Z2, Z0, Z0
	VCVTPD2QQ Z0, Z0
	VMOVDQU64 (DI), Z1
	VPSUBQ    Z0, Z1, Z1
	VMOVDQU64 Z1, (DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	DECQ      CX
	JNZ       subfixedloop
	VZEROUPPER
	RET

// func addIntsAVX512(n int, x, y *int64)
// n is a multiple of 8, and not 0.
TEXT ·addIntsAVX512(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DI
	SHRQ $3, CX
addintsloop:
	VMOVDQU64 (SI), Z0
	VPADDQ    (DI), Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ      $64, SI
	ADDQ      $64, DI
	DECQ      CX
	JNZ       addintsloop
	VZEROUPPER
	RET

// func scaleIntsAVX512(n int, x *int64, scale float64, y *float32)
// n is a multiple of 8, and not 0.
TEXT ·scaleIntsAVX512(SB), NOSPLIT, $0-32
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), SI
	VBROADCASTSD scale+16(FP), Z2
	MOVQ         y+24(FP), DI
	SHRQ         $3, CX
scaleintsloop:
	VCVTQQ2PD (SI), Z0
	VMULPD    Z2, Z0, Z0
	VCVTPD2PS Z0, Y0
	VMOVUPS   Y0, (DI)
	ADDQ      $64, SI
	ADDQ      $32, DI
	DECQ      CX
	JNZ       scaleintsloop
	VZEROUPPER
	RET
