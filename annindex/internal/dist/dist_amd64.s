//go:build !purego

#include "textflag.h"

// magnitude masks the sign bits of eight float32.
DATA magnitude<>+0(SB)/8, $0x7fffffff7fffffff
DATA magnitude<>+8(SB)/8, $0x7fffffff7fffffff
DATA magnitude<>+16(SB)/8, $0x7fffffff7fffffff
DATA magnitude<>+24(SB)/8, $0x7fffffff7fffffff
GLOBL magnitude<>(SB), RODATA|NOPTR, $32

// DOT leaves in X0 the inner product of n (in DX) numbers at DI and SI.
// Uses AX, CX, X1-X7. The labels are parameters, since a function may contain DOT several times.
#define DOT(loop, tail, done) \
	VXORPS Y0, Y0, Y0;                      \
	VXORPS Y1, Y1, Y1;                      \
	VXORPS Y2, Y2, Y2;                      \
	VXORPS Y3, Y3, Y3;                      \
	XORQ   CX, CX;                          \
	MOVQ   DX, AX;                          \
	ANDQ   $-32, AX;                        \
	JZ     tail;                            \
loop: \
	VMOVUPS     (SI)(CX*4), Y4;             \
	VMOVUPS     32(SI)(CX*4), Y5;           \
	VMOVUPS     64(SI)(CX*4), Y6;           \
	VMOVUPS     96(SI)(CX*4), Y7;           \
	VFMADD231PS (DI)(CX*4), Y4, Y0;         \
	VFMADD231PS 32(DI)(CX*4), Y5, Y1;       \
	VFMADD231PS 64(DI)(CX*4), Y6, Y2;       \
	VFMADD231PS 96(DI)(CX*4), Y7, Y3;       \
	ADDQ        $32, CX;                    \
	CMPQ        CX, AX;                     \
	JLT         loop;                       \
	VADDPS       Y1, Y0, Y0;                \
	VADDPS       Y2, Y0, Y0;                \
	VADDPS       Y3, Y0, Y0;                \
	VEXTRACTF128 $1, Y0, X1;                \
	VADDPS       X1, X0, X0;                \
	VPERMILPD    $1, X0, X1;                \
	VADDPS       X1, X0, X0;                \
	VMOVSHDUP    X0, X1;                    \
	VADDSS       X1, X0, X0;                \
tail: \
	CMPQ CX, DX;                            \
	JGE  done;                              \
	VMOVSS      (SI)(CX*4), X1;             \
	VFMADD231SS (DI)(CX*4), X1, X0;         \
	INCQ        CX;                         \
	JMP         tail;                       \
done:

// func dotAVX2(a, b *float32, n int) float32
TEXT ·dotAVX2(SB), NOSPLIT, $0-28
	MOVQ a+0(FP), DI
	MOVQ b+8(FP), SI
	MOVQ n+16(FP), DX
	DOT(loop, tail, done)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func dotRowsAVX2(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)
TEXT ·dotRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ query+0(FP), DI
	MOVQ n+8(FP), DX
	MOVQ rows+16(FP), R8
	MOVQ stride+24(FP), R9
	SHLQ $2, R9
	MOVQ slots+32(FP), R10
	MOVQ count+40(FP), R11
	MOVQ out+48(FP), R12
	LEAQ (R10)(R11*4), R11

rows:
	MOVL  (R10), SI
	IMULQ R9, SI
	ADDQ  R8, SI

	// Prefetch the first cache lines of the next row; the processor's own prefetcher follows with the others.
	ADDQ  $4, R10
	CMPQ  R10, R11
	JGE   compute
	MOVL  (R10), BX
	IMULQ R9, BX
	ADDQ  R8, BX
	PREFETCHT0 (BX)
	PREFETCHT0 64(BX)
	PREFETCHT0 128(BX)
	PREFETCHT0 192(BX)
	PREFETCHT0 256(BX)
	PREFETCHT0 320(BX)
	PREFETCHT0 384(BX)
	PREFETCHT0 448(BX)

compute:
	DOT(loop, tail, done)
	VMOVSS X0, (R12)
	ADDQ   $4, R12
	CMPQ   R10, R11
	JLT    rows
	VZEROUPPER
	RET

// func scoresAVX2(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)
TEXT ·scoresAVX2(SB), NOSPLIT, $0-56
	MOVQ query+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ scales+24(FP), BX
	MOVQ slots+32(FP), R12
	MOVQ n+40(FP), R13
	MOVQ out+48(FP), AX
	LEAQ (R12)(R13*4), R13

four:
	MOVL  (R12), R8
	MOVL  4(R12), R9
	MOVL  8(R12), R10
	MOVL  12(R12), R11

	// Load the scales of the four rows before the registers of the slots hold addresses.
	VMOVSS    (BX)(R8*4), X6
	VINSERTPS $0x10, (BX)(R9*4), X6, X6
	VINSERTPS $0x20, (BX)(R10*4), X6, X6
	VINSERTPS $0x30, (BX)(R11*4), X6, X6
	IMULQ DX, R8
	IMULQ DX, R9
	IMULQ DX, R10
	IMULQ DX, R11
	ADDQ  SI, R8
	ADDQ  SI, R9
	ADDQ  SI, R10
	ADDQ  SI, R11
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	XORQ  CX, CX

inner:
	VMOVDQU   (DI)(CX*2), Y4
	VMOVDQU   32(DI)(CX*2), Y5
	VPMOVSXBW (R8)(CX*1), Y8
	VPMOVSXBW (R9)(CX*1), Y9
	VPMOVSXBW (R10)(CX*1), Y10
	VPMOVSXBW (R11)(CX*1), Y11
	VPMOVSXBW 16(R8)(CX*1), Y12
	VPMOVSXBW 16(R9)(CX*1), Y13
	VPMOVSXBW 16(R10)(CX*1), Y14
	VPMOVSXBW 16(R11)(CX*1), Y15
	VPMADDWD  Y4, Y8, Y8
	VPMADDWD  Y4, Y9, Y9
	VPMADDWD  Y4, Y10, Y10
	VPMADDWD  Y4, Y11, Y11
	VPMADDWD  Y5, Y12, Y12
	VPMADDWD  Y5, Y13, Y13
	VPMADDWD  Y5, Y14, Y14
	VPMADDWD  Y5, Y15, Y15
	VPADDD    Y8, Y0, Y0
	VPADDD    Y9, Y1, Y1
	VPADDD    Y10, Y2, Y2
	VPADDD    Y11, Y3, Y3
	VPADDD    Y12, Y0, Y0
	VPADDD    Y13, Y1, Y1
	VPADDD    Y14, Y2, Y2
	VPADDD    Y15, Y3, Y3
	ADDQ      $32, CX
	CMPQ      CX, DX
	JLT       inner

	VPHADDD      Y1, Y0, Y0
	VPHADDD      Y3, Y2, Y2
	VPHADDD      Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VCVTDQ2PS    X0, X0
	VMULPS       X6, X0, X0
	VMOVUPS      X0, (AX)
	ADDQ         $16, AX
	ADDQ         $16, R12
	CMPQ         R12, R13
	JLT          four
	VZEROUPPER
	RET

// offsets flips the sign bits of bytes, ones are int16s of 1.
DATA offsets<>+0(SB)/8, $0x8080808080808080
DATA offsets<>+8(SB)/8, $0x8080808080808080
DATA offsets<>+16(SB)/8, $0x8080808080808080
DATA offsets<>+24(SB)/8, $0x8080808080808080
GLOBL offsets<>(SB), RODATA|NOPTR, $32
DATA ones<>+0(SB)/8, $0x0001000100010001
DATA ones<>+8(SB)/8, $0x0001000100010001
DATA ones<>+16(SB)/8, $0x0001000100010001
DATA ones<>+24(SB)/8, $0x0001000100010001
GLOBL ones<>(SB), RODATA|NOPTR, $32

// func coarseAVX2(query *int8, offset int32, codes *byte, stride int, scales *float32, n int, out *float32)
TEXT ·coarseAVX2(SB), NOSPLIT, $0-56
	MOVQ    query+0(FP), DI
	MOVL    offset+8(FP), R12
	MOVQ    codes+16(FP), R8
	MOVQ    stride+24(FP), DX
	MOVQ    scales+32(FP), BX
	MOVQ    n+40(FP), R13
	MOVQ    out+48(FP), AX
	MOVQ    R12, X13
	VPBROADCASTD X13, X13
	VMOVDQU offsets<>(SB), Y14
	VMOVDQU ones<>(SB), Y15
	LEAQ    (AX)(R13*4), R13

four:
	LEAQ  (R8)(DX*1), R9
	LEAQ  (R8)(DX*2), R10
	LEAQ  (R9)(DX*2), R11
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	XORQ  CX, CX

inner:
	// A code and 128 is no byte below 1 or above 255, and the query is within 64: no sum of two products overflows an int16.
	VMOVDQU    (DI)(CX*1), Y4
	VPXOR      (R8)(CX*1), Y14, Y8
	VPXOR      (R9)(CX*1), Y14, Y9
	VPXOR      (R10)(CX*1), Y14, Y10
	VPXOR      (R11)(CX*1), Y14, Y11
	VPMADDUBSW Y4, Y8, Y8
	VPMADDUBSW Y4, Y9, Y9
	VPMADDUBSW Y4, Y10, Y10
	VPMADDUBSW Y4, Y11, Y11
	VPMADDWD   Y15, Y8, Y8
	VPMADDWD   Y15, Y9, Y9
	VPMADDWD   Y15, Y10, Y10
	VPMADDWD   Y15, Y11, Y11
	VPADDD     Y8, Y0, Y0
	VPADDD     Y9, Y1, Y1
	VPADDD     Y10, Y2, Y2
	VPADDD     Y11, Y3, Y3
	ADDQ       $32, CX
	CMPQ       CX, DX
	JLT        inner

	VPHADDD      Y1, Y0, Y0
	VPHADDD      Y3, Y2, Y2
	VPHADDD      Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSUBD       X13, X0, X0
	VCVTDQ2PS    X0, X0
	VMULPS       (BX), X0, X0
	VMOVUPS      X0, (AX)
	LEAQ         (R11)(DX*1), R8
	ADDQ         $16, BX
	ADDQ         $16, AX
	CMPQ         AX, R13
	JLT          four
	VZEROUPPER
	RET

// func unvisitedAVX2(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32)
// int
TEXT ·unvisitedAVX2(SB), NOSPLIT, $0-72
	MOVQ    list+0(FP), SI
	MOVQ    n+8(FP), DX
	MOVQ    visited+16(FP), DI
	MOVWLZX stamp+24(FP), R8
	MOVQ    codes+32(FP), R9
	MOVQ    stride+40(FP), R10
	MOVQ    out+48(FP), R11
	MOVQ    next+56(FP), R12
	PREFETCHT0 (R12)
	PREFETCHT0 64(R12)
	XORQ    CX, CX
	LEAQ    (SI)(DX*4), DX

loop:
	CMPQ    SI, DX
	JGE     done
	MOVL    (SI), AX
	ADDQ    $4, SI
	CMPL    AX, $-1
	JEQ     done
	MOVWLZX (DI)(AX*2), BX
	MOVW    R8, (DI)(AX*2)
	MOVL    AX, (R11)(CX*4)
	IMULQ   R10, AX
	PREFETCHT0 (R9)(AX*1)
	PREFETCHT0 64(R9)(AX*1)
	XORL    R13, R13
	CMPL    BX, R8
	SETNE   R13
	ADDQ    R13, CX
	JMP     loop

done:
	MOVQ CX, ret+64(FP)
	RET

// func widenAVX2(row *byte, n int, dst *int16)
TEXT ·widenAVX2(SB), NOSPLIT, $0-24
	MOVQ row+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ dst+16(FP), DI
	XORQ CX, CX

loop:
	VPMOVSXBW (SI)(CX*1), Y0
	VPMOVSXBW 16(SI)(CX*1), Y1
	VMOVDQU   Y0, (DI)(CX*2)
	VMOVDQU   Y1, 32(DI)(CX*2)
	ADDQ      $32, CX
	CMPQ      CX, DX
	JLT       loop
	VZEROUPPER
	RET

// func maxAbsAVX2(vec *float32, n int) float32
TEXT ·maxAbsAVX2(SB), NOSPLIT, $0-20
	MOVQ    vec+0(FP), SI
	MOVQ    n+8(FP), DX
	VMOVUPS magnitude<>(SB), Y2
	VXORPS  Y0, Y0, Y0
	LEAQ    (SI)(DX*4), DX

loop:
	VANDPS (SI), Y2, Y1
	VMAXPS Y1, Y0, Y0
	ADDQ   $32, SI
	CMPQ   SI, DX
	JLT    loop
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPD    $1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSHDUP    X0, X1
	VMAXSS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func roundAVX2(vec *float32, n int, factor float32, dst *int16)
TEXT ·roundAVX2(SB), NOSPLIT, $0-32
	MOVQ         vec+0(FP), SI
	MOVQ         n+8(FP), DX
	VBROADCASTSS factor+16(FP), Y2
	MOVQ         dst+24(FP), DI
	LEAQ         (SI)(DX*4), DX

loop:
	VMULPS       (SI), Y2, Y0
	VCVTPS2DQ    Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKSSDW    X1, X0, X0
	VMOVDQU      X0, (DI)
	ADDQ         $32, SI
	ADDQ         $16, DI
	CMPQ         SI, DX
	JLT          loop
	VZEROUPPER
	RET

// func copyAVX2(dst, src *float32, n int)
TEXT ·copyAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	XORQ CX, CX
	MOVQ DX, AX
	ANDQ $-8, AX
	JZ   tail

loop:
	VMOVUPS (SI)(CX*4), Y0
	VMOVUPS Y0, (DI)(CX*4)
	ADDQ    $8, CX
	CMPQ    CX, AX
	JLT     loop
	VZEROUPPER

tail:
	CMPQ CX, DX
	JGE  done
	MOVL (SI)(CX*4), AX
	MOVL AX, (DI)(CX*4)
	INCQ CX
	JMP  tail

done:
	RET
