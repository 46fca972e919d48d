//go:build !purego

#include "textflag.h"

// These macros encode instructions that Go's assembler has no name for (Arm Architecture Reference Manual, C7.2). Their
// operands are the numbers of registers, destination last as elsewhere in this file.
#define FADD4(m, n, d)   WORD $(0x4e20d400|(m)<<16|(n)<<5|(d)) // FADD Vd.4S, Vn.4S, Vm.4S
#define FMUL4(m, n, d)   WORD $(0x6e20dc00|(m)<<16|(n)<<5|(d)) // FMUL Vd.4S, Vn.4S, Vm.4S
#define FADDPAIR(n, d)   WORD $(0x7e30d800|(n)<<5|(d))         // FADDP Sd, Vn.2S
#define FABS4(n, d)      WORD $(0x4ea0f800|(n)<<5|(d))         // FABS Vd.4S, Vn.4S
#define FMAX4(m, n, d)   WORD $(0x4e20f400|(m)<<16|(n)<<5|(d)) // FMAX Vd.4S, Vn.4S, Vm.4S
#define FMAXV4(n, d)     WORD $(0x6e30f800|(n)<<5|(d))         // FMAXV Sd, Vn.4S
#define SCVTF4(n, d)     WORD $(0x4e21d800|(n)<<5|(d))         // SCVTF Vd.4S, Vn.4S
#define FCVTNS4(n, d)    WORD $(0x4e21a800|(n)<<5|(d))         // FCVTNS Vd.4S, Vn.4S
#define SQXTN4(n, d)     WORD $(0x0e614800|(n)<<5|(d))         // SQXTN Vd.4H, Vn.4S
#define SQXTN2(n, d)     WORD $(0x4e614800|(n)<<5|(d))         // SQXTN2 Vd.8H, Vn.4S
#define SXTL8(n, d)      WORD $(0x0f08a400|(n)<<5|(d))         // SXTL Vd.8H, Vn.8B
#define SXTL2(n, d)      WORD $(0x4f08a400|(n)<<5|(d))         // SXTL2 Vd.8H, Vn.16B
#define SMLAL4(m, n, d)  WORD $(0x0e608000|(m)<<16|(n)<<5|(d)) // SMLAL Vd.4S, Vn.4H, Vm.4H
#define SMLAL2(m, n, d)  WORD $(0x4e608000|(m)<<16|(n)<<5|(d)) // SMLAL2 Vd.4S, Vn.8H, Vm.8H

// LOADS and ALL are barriers of the inner shareable domain: loads before LOADS, and all accesses before ALL, are done
// before what follows.
#define LOADS DMB $0x9
#define ALL   DMB $0xb

// DOT leaves in F0 the inner product of n (in R2) numbers at R0 and R1. It advances R0 and R1.
// Uses R3, V0-V7, V16-V23. The labels are parameters, since a function may contain DOT several times.
#define DOT(loop, fold, tail, done) \
	VEOR V0.B16, V0.B16, V0.B16;               \
	VEOR V1.B16, V1.B16, V1.B16;               \
	VEOR V2.B16, V2.B16, V2.B16;               \
	VEOR V3.B16, V3.B16, V3.B16;               \
	VEOR V4.B16, V4.B16, V4.B16;               \
	VEOR V5.B16, V5.B16, V5.B16;               \
	VEOR V6.B16, V6.B16, V6.B16;               \
	VEOR V7.B16, V7.B16, V7.B16;               \
	SUBS $32, R2, R3;                          \
	BLT  fold;                                 \
loop: \
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]; \
	VFMLA  V16.S4, V20.S4, V0.S4;              \
	VFMLA  V17.S4, V21.S4, V1.S4;              \
	VFMLA  V18.S4, V22.S4, V2.S4;              \
	VFMLA  V19.S4, V23.S4, V3.S4;              \
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]; \
	VFMLA  V16.S4, V20.S4, V4.S4;              \
	VFMLA  V17.S4, V21.S4, V5.S4;              \
	VFMLA  V18.S4, V22.S4, V6.S4;              \
	VFMLA  V19.S4, V23.S4, V7.S4;              \
	SUBS   $32, R3, R3;                        \
	BGE    loop;                               \
	FADD4(2, 0, 0);                            \
	FADD4(3, 1, 1);                            \
	FADD4(4, 0, 0);                            \
	FADD4(5, 1, 1);                            \
	FADD4(6, 0, 0);                            \
	FADD4(7, 1, 1);                            \
	FADD4(1, 0, 0);                            \
	VEXT $8, V0.B16, V0.B16, V1.B16;           \
	FADD4(1, 0, 0);                            \
	FADDPAIR(0, 0);                            \
fold: \
	ADDS $32, R3, R3;                          \
	BEQ  done;                                 \
tail: \
	FMOVS.P 4(R0), F1;                         \
	FMOVS.P 4(R1), F2;                         \
	FMADDS  F1, F0, F2, F0;                    \
	SUBS    $1, R3, R3;                        \
	BNE     tail;                              \
done:

// func dotNEON(a, b *float32, n int) float32
TEXT ·dotNEON(SB), NOSPLIT, $0-28
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	MOVD n+16(FP), R2
	DOT(loop, fold, tail, done)
	FMOVS F0, ret+24(FP)
	RET

// func dotRowsNEON(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)
TEXT ·dotRowsNEON(SB), NOSPLIT, $0-56
	MOVD query+0(FP), R4
	MOVD n+8(FP), R2
	MOVD rows+16(FP), R5
	MOVD stride+24(FP), R6
	LSL  $2, R6, R6
	MOVD slots+32(FP), R7
	MOVD count+40(FP), R8
	MOVD out+48(FP), R9

rows:
	MOVWU.P 4(R7), R10
	MADD    R6, R5, R10, R1
	MOVD    R4, R0
	SUBS    $1, R8, R8
	BEQ     compute

	// Prefetch the first cache lines of the next row; the processor's own prefetcher follows with the others.
	MOVWU (R7), R10
	MADD  R6, R5, R10, R11
	PRFM  (R11), PLDL1KEEP
	PRFM  64(R11), PLDL1KEEP
	PRFM  128(R11), PLDL1KEEP
	PRFM  192(R11), PLDL1KEEP
	PRFM  256(R11), PLDL1KEEP
	PRFM  320(R11), PLDL1KEEP
	PRFM  384(R11), PLDL1KEEP
	PRFM  448(R11), PLDL1KEEP

compute:
	DOT(loop, fold, tail, done)
	FMOVS.P F0, 4(R9)
	CBNZ    R8, rows
	LOADS
	RET

// ROW multiplies 32 codes of a row with those in V16-V19 and adds the products to two sums. It advances the row's
// address.
#define ROW(row, even, odd) \
	VLD1.P 32(row), [V20.B16, V21.B16]; \
	SXTL8(20, 22);                      \
	SXTL2(20, 23);                      \
	SXTL8(21, 24);                      \
	SXTL2(21, 25);                      \
	SMLAL4(16, 22, even);               \
	SMLAL2(16, 22, odd);                \
	SMLAL4(17, 23, even);               \
	SMLAL2(17, 23, odd);                \
	SMLAL4(18, 24, even);               \
	SMLAL2(18, 24, odd);                \
	SMLAL4(19, 25, even);               \
	SMLAL2(19, 25, odd)

// func scoresNEON(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)
TEXT ·scoresNEON(SB), NOSPLIT, $0-56
	MOVD query+0(FP), R0
	MOVD codes+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD scales+24(FP), R3
	MOVD slots+32(FP), R4
	MOVD n+40(FP), R5
	MOVD out+48(FP), R6

four:
	MOVWU.P 4(R4), R8
	MOVWU.P 4(R4), R9
	MOVWU.P 4(R4), R10
	MOVWU.P 4(R4), R11

	// Load the scales of the four rows before the registers of the slots hold addresses.
	ADD  R8<<2, R3, R12
	ADD  R9<<2, R3, R13
	ADD  R10<<2, R3, R14
	ADD  R11<<2, R3, R15
	VLD1 (R12), V26.S[0]
	VLD1 (R13), V26.S[1]
	VLD1 (R14), V26.S[2]
	VLD1 (R15), V26.S[3]
	MADD R2, R1, R8, R8
	MADD R2, R1, R9, R9
	MADD R2, R1, R10, R10
	MADD R2, R1, R11, R11
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	MOVD R0, R12
	MOVD R2, R13

inner:
	VLD1.P 64(R12), [V16.H8, V17.H8, V18.H8, V19.H8]
	ROW(R8, 0, 1)
	ROW(R9, 2, 3)
	ROW(R10, 4, 5)
	ROW(R11, 6, 7)
	SUBS $32, R13, R13
	BNE  inner

	VADD  V1.S4, V0.S4, V0.S4
	VADD  V3.S4, V2.S4, V2.S4
	VADD  V5.S4, V4.S4, V4.S4
	VADD  V7.S4, V6.S4, V6.S4
	VADDP V2.S4, V0.S4, V0.S4
	VADDP V6.S4, V4.S4, V4.S4
	VADDP V4.S4, V0.S4, V0.S4
	SCVTF4(0, 0)
	FMUL4(26, 0, 0)
	VST1.P [V0.S4], 16(R6)
	SUBS   $4, R5, R5
	BNE    four
	RET

// func unvisitedNEON(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32)
// int
TEXT ·unvisitedNEON(SB), NOSPLIT, $0-72
	MOVD  list+0(FP), R0
	MOVD  n+8(FP), R1
	MOVD  visited+16(FP), R2
	MOVHU stamp+24(FP), R3
	MOVD  codes+32(FP), R4
	MOVD  stride+40(FP), R5
	MOVD  out+48(FP), R6
	MOVD  next+56(FP), R7
	PRFM  (R7), PLDL1KEEP
	PRFM  64(R7), PLDL1KEEP
	MOVD  ZR, R8
	CBZ   R1, done

loop:
	MOVWU.P 4(R0), R9
	CMNW    $1, R9
	BEQ     done
	MOVHU   (R2)(R9<<1), R10
	MOVH    R3, (R2)(R9<<1)
	MOVW    R9, (R6)(R8<<2)
	MADD    R5, R4, R9, R9
	PRFM    (R9), PLDL1KEEP
	PRFM    64(R9), PLDL1KEEP
	CMPW    R3, R10
	CINC    NE, R8, R8
	SUBS    $1, R1, R1
	BNE     loop

done:
	MOVD R8, ret+64(FP)
	RET

// func widenNEON(row *byte, n int, dst *int16)
TEXT ·widenNEON(SB), NOSPLIT, $0-24
	MOVD row+0(FP), R0
	MOVD n+8(FP), R1
	MOVD dst+16(FP), R2

loop:
	VLD1.P 32(R0), [V0.B16, V1.B16]
	SXTL8(0, 2)
	SXTL2(0, 3)
	SXTL8(1, 4)
	SXTL2(1, 5)
	VST1.P [V2.H8, V3.H8, V4.H8, V5.H8], 64(R2)
	SUBS   $32, R1, R1
	BNE    loop
	RET

// func maxAbsNEON(vec *float32, n int) float32
TEXT ·maxAbsNEON(SB), NOSPLIT, $0-20
	MOVD vec+0(FP), R0
	MOVD n+8(FP), R1
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16

loop:
	VLD1.P 32(R0), [V2.S4, V3.S4]
	FABS4(2, 2)
	FABS4(3, 3)
	FMAX4(2, 0, 0)
	FMAX4(3, 1, 1)
	SUBS $8, R1, R1
	BNE  loop
	FMAX4(1, 0, 0)
	FMAXV4(0, 0)
	FMOVS F0, ret+16(FP)
	RET

// func roundNEON(vec *float32, n int, factor float32, dst *int16)
TEXT ·roundNEON(SB), NOSPLIT, $0-32
	MOVD  vec+0(FP), R0
	MOVD  n+8(FP), R1
	MOVWU factor+16(FP), R2
	VDUP  R2, V4.S4
	MOVD  dst+24(FP), R3

loop:
	VLD1.P 32(R0), [V0.S4, V1.S4]
	FMUL4(4, 0, 0)
	FMUL4(4, 1, 1)
	FCVTNS4(0, 0)
	FCVTNS4(1, 1)
	SQXTN4(0, 2)
	SQXTN2(1, 2)
	VST1.P [V2.H8], 16(R3)
	SUBS   $8, R1, R1
	BNE    loop
	RET

// func copyNEON(dst, src *float32, n int)
TEXT ·copyNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	ALL
	SUBS $8, R2, R2
	BLT  rest

loop:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2, R2
	BGE    loop

rest:
	ADDS $8, R2, R2
	BEQ  done

tail:
	MOVWU.P 4(R1), R3
	MOVW.P  R3, 4(R0)
	SUBS    $1, R2, R2
	BNE     tail

done:
	ALL
	RET
