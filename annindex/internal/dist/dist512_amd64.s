//go:build !purego

#include "textflag.h"

// FOLD adds the 32 sums in LO and HI by eights, from the first to the last, and leaves eight sums in Y, the lower half
// of LO. Y2 is the lower half of HI, T that of a scratch register.
#define FOLD(LO, Y, HI, Y2, T) \
	VEXTRACTF64X4 $1, LO, T; \
	VADDPS        T, Y, Y;   \
	VADDPS        Y2, Y, Y;  \
	VEXTRACTF64X4 $1, HI, T; \
	VADDPS        T, Y, Y

// HALVE adds the upper half of Y to the lower, X. T is a scratch register.
#define HALVE(Y, X, T) \
	VEXTRACTF128 $1, Y, T; \
	VADDPS       T, X, X

// DOT leaves in X0 the inner product of n (in DX) numbers at DI and SI.
// Uses AX, CX, Z1-Z3. The labels are parameters, since a function may contain DOT several times.
#define DOT(loop, tail, done) \
	VPXORD Z0, Z0, Z0;               \
	VPXORD Z1, Z1, Z1;               \
	XORQ   CX, CX;                   \
	MOVQ   DX, AX;                   \
	ANDQ   $-32, AX;                 \
	JZ     tail;                     \
loop: \
	VMOVUPS     (SI)(CX*4), Z2;      \
	VMOVUPS     64(SI)(CX*4), Z3;    \
	VFMADD231PS (DI)(CX*4), Z2, Z0;  \
	VFMADD231PS 64(DI)(CX*4), Z3, Z1; \
	ADDQ        $32, CX;             \
	CMPQ        CX, AX;              \
	JLT         loop;                \
	FOLD(Z0, Y0, Z1, Y1, Y2);        \
	HALVE(Y0, X0, X1);               \
	VPERMILPD   $1, X0, X1;          \
	VADDPS      X1, X0, X0;          \
	VMOVSHDUP   X0, X1;              \
	VADDSS      X1, X0, X0;          \
tail: \
	CMPQ CX, DX;                     \
	JGE  done;                       \
	VMOVSS      (SI)(CX*4), X1;      \
	VFMADD231SS (DI)(CX*4), X1, X0;  \
	INCQ        CX;                  \
	JMP         tail;                \
done:

// func dotAVX512(a, b *float32, n int) float32
TEXT ·dotAVX512(SB), NOSPLIT, $0-28
	MOVQ a+0(FP), DI
	MOVQ b+8(FP), SI
	MOVQ n+16(FP), DX
	DOT(loop, tail, done)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// PREFETCHROW prefetches the first cache lines of the row of the slot at OFF(R10); the processor's own prefetcher
// follows with the others.
#define PREFETCHROW(OFF) \
	MOVL       OFF(R10), CX; \
	IMULQ      R9, CX;       \
	ADDQ       R8, CX;       \
	PREFETCHT0 (CX);         \
	PREFETCHT0 64(CX);       \
	PREFETCHT0 128(CX);      \
	PREFETCHT0 192(CX);      \
	PREFETCHT0 256(CX);      \
	PREFETCHT0 320(CX);      \
	PREFETCHT0 384(CX);      \
	PREFETCHT0 448(CX)

// func dotRowsAVX512(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) Take
// four rows at a time, so that a number of the query is loaded once for the four, then the remaining rows one by one.
TEXT ·dotRowsAVX512(SB), NOSPLIT, $0-56
	MOVQ query+0(FP), DI
	MOVQ n+8(FP), DX
	MOVQ rows+16(FP), R8
	MOVQ stride+24(FP), R9
	SHLQ $2, R9
	MOVQ slots+32(FP), R10
	MOVQ count+40(FP), R11
	MOVQ out+48(FP), R12
	SUBQ $4, R11
	JLT  rest

four:
	MOVL  (R10), SI
	MOVL  4(R10), BX
	MOVL  8(R10), R13
	MOVL  12(R10), R15
	IMULQ R9, SI
	IMULQ R9, BX
	IMULQ R9, R13
	IMULQ R9, R15
	ADDQ  R8, SI
	ADDQ  R8, BX
	ADDQ  R8, R13
	ADDQ  R8, R15
	ADDQ  $16, R10
	SUBQ  $4, R11
	JLT   compute
	PREFETCHROW(0)
	PREFETCHROW(4)
	PREFETCHROW(8)
	PREFETCHROW(12)

compute:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	XORQ   CX, CX
	MOVQ   DX, AX
	ANDQ   $-32, AX
	JZ     tail4

loop4:
	VMOVUPS     (DI)(CX*4), Z8
	VMOVUPS     64(DI)(CX*4), Z9
	VFMADD231PS (SI)(CX*4), Z8, Z0
	VFMADD231PS 64(SI)(CX*4), Z9, Z1
	VFMADD231PS (BX)(CX*4), Z8, Z2
	VFMADD231PS 64(BX)(CX*4), Z9, Z3
	VFMADD231PS (R13)(CX*4), Z8, Z4
	VFMADD231PS 64(R13)(CX*4), Z9, Z5
	VFMADD231PS (R15)(CX*4), Z8, Z6
	VFMADD231PS 64(R15)(CX*4), Z9, Z7
	ADDQ        $32, CX
	CMPQ        CX, AX
	JLT         loop4

	FOLD(Z0, Y0, Z1, Y1, Y8)
	FOLD(Z2, Y2, Z3, Y3, Y9)
	FOLD(Z4, Y4, Z5, Y5, Y10)
	FOLD(Z6, Y6, Z7, Y7, Y11)
	HALVE(Y0, X0, X8)
	HALVE(Y2, X2, X9)
	HALVE(Y4, X4, X10)
	HALVE(Y6, X6, X11)

	// Join the sums of two rows in a register, then those of all four.
	VUNPCKLPD X2, X0, X1
	VUNPCKHPD X2, X0, X3
	VUNPCKLPD X6, X4, X5
	VUNPCKHPD X6, X4, X7
	VADDPS    X3, X1, X1
	VADDPS    X7, X5, X5
	VSHUFPS   $0x88, X5, X1, X0
	VSHUFPS   $0xdd, X5, X1, X2
	VADDPS    X2, X0, X0

tail4:
	CMPQ         CX, DX
	JGE          done4
	VBROADCASTSS (DI)(CX*4), X1
	VMOVSS       (SI)(CX*4), X2
	VINSERTPS    $0x10, (BX)(CX*4), X2, X2
	VINSERTPS    $0x20, (R13)(CX*4), X2, X2
	VINSERTPS    $0x30, (R15)(CX*4), X2, X2
	VFMADD231PS  X2, X1, X0
	INCQ         CX
	JMP          tail4

done4:
	VMOVUPS X0, (R12)
	ADDQ    $16, R12
	TESTQ   R11, R11
	JGE     four

rest:
	ADDQ $4, R11
	JZ   end

one:
	MOVL  (R10), SI
	IMULQ R9, SI
	ADDQ  R8, SI
	ADDQ  $4, R10
	DOT(loop, tail, done)
	VMOVSS X0, (R12)
	ADDQ   $4, R12
	DECQ   R11
	JNZ    one

end:
	VZEROUPPER
	RET

// ADDMUL multiplies the 32 codes of Q and R, adds the products by pairs and these to SUM. It overwrites R.
#define ADDMUL(Q, R, SUM) \
	VPMADDWD Q, R, R;     \
	VPADDD   R, SUM, SUM

// ADDMULVNNI is ADDMUL in one instruction of VNNI, which wraps around as ADDMUL's two do.
#define ADDMULVNNI(Q, R, SUM) \
	VPDPWSSD Q, R, SUM

// HALVEINT adds the upper half of Z to the lower, Y, as integers. T is a scratch register.
#define HALVEINT(Z, Y, T) \
	VEXTRACTI64X4 $1, Z, T; \
	VPADDD        T, Y, Y

// STEP multiplies the 32 codes of the query at OFF with those of four rows, and adds to the four sums.
#define STEP(ADD, OFF, S0, S1, S2, S3) \
	VMOVDQU32 (2*OFF)(DI)(CX*2), Z4; \
	VPMOVSXBW OFF(R8)(CX*1), Z8;     \
	VPMOVSXBW OFF(R9)(CX*1), Z9;     \
	VPMOVSXBW OFF(R10)(CX*1), Z10;   \
	VPMOVSXBW OFF(R11)(CX*1), Z11;   \
	ADD(Z4, Z8, S0);                 \
	ADD(Z4, Z9, S1);                 \
	ADD(Z4, Z10, S2);                \
	ADD(Z4, Z11, S3)

// SCORES is the loop of scores, with ADD as a step: the query is at DI, the codes at SI, DX apart, the scales at BX,
// the slots from R12 up to R13; the scores go to AX. There are two sums a row, since an addition waits for the one
// before.
#define SCORES(ADD, four, inner, last, fold) \
	MOVQ DX, R15;                            \
	ANDQ $-64, R15;                          \
four: \
	MOVL  (R12), R8;                         \
	MOVL  4(R12), R9;                        \
	MOVL  8(R12), R10;                       \
	MOVL  12(R12), R11;                      \
	/* Load the scales of the four rows before the registers of the slots hold addresses. */ \
	VMOVSS    (BX)(R8*4), X6;                \
	VINSERTPS $0x10, (BX)(R9*4), X6, X6;     \
	VINSERTPS $0x20, (BX)(R10*4), X6, X6;    \
	VINSERTPS $0x30, (BX)(R11*4), X6, X6;    \
	IMULQ  DX, R8;                           \
	IMULQ  DX, R9;                           \
	IMULQ  DX, R10;                          \
	IMULQ  DX, R11;                          \
	ADDQ   SI, R8;                           \
	ADDQ   SI, R9;                           \
	ADDQ   SI, R10;                          \
	ADDQ   SI, R11;                          \
	VPXORD Z0, Z0, Z0;                       \
	VPXORD Z1, Z1, Z1;                       \
	VPXORD Z2, Z2, Z2;                       \
	VPXORD Z3, Z3, Z3;                       \
	VPXORD Z12, Z12, Z12;                    \
	VPXORD Z13, Z13, Z13;                    \
	VPXORD Z14, Z14, Z14;                    \
	VPXORD Z15, Z15, Z15;                    \
	XORQ   CX, CX;                           \
	CMPQ   CX, R15;                          \
	JGE    last;                             \
inner: \
	STEP(ADD, 0, Z0, Z1, Z2, Z3);            \
	STEP(ADD, 32, Z12, Z13, Z14, Z15);       \
	ADDQ $64, CX;                            \
	CMPQ CX, R15;                            \
	JLT  inner;                              \
last: \
	CMPQ CX, DX;                             \
	JGE  fold;                               \
	STEP(ADD, 0, Z0, Z1, Z2, Z3);            \
fold: \
	VPADDD Z12, Z0, Z0;                      \
	VPADDD Z13, Z1, Z1;                      \
	VPADDD Z14, Z2, Z2;                      \
	VPADDD Z15, Z3, Z3;                      \
	HALVEINT(Z0, Y0, Y8);                    \
	HALVEINT(Z1, Y1, Y9);                    \
	HALVEINT(Z2, Y2, Y10);                   \
	HALVEINT(Z3, Y3, Y11);                   \
	VPHADDD      Y1, Y0, Y0;                 \
	VPHADDD      Y3, Y2, Y2;                 \
	VPHADDD      Y2, Y0, Y0;                 \
	VEXTRACTI128 $1, Y0, X1;                 \
	VPADDD       X1, X0, X0;                 \
	VCVTDQ2PS    X0, X0;                     \
	VMULPS       X6, X0, X0;                 \
	VMOVUPS      X0, (AX);                   \
	ADDQ         $16, AX;                    \
	ADDQ         $16, R12;                   \
	CMPQ         R12, R13;                   \
	JLT          four;                       \
	VZEROUPPER

// func scoresAVX512(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)
TEXT ·scoresAVX512(SB), NOSPLIT, $0-56
	MOVQ query+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ scales+24(FP), BX
	MOVQ slots+32(FP), R12
	MOVQ n+40(FP), R13
	MOVQ out+48(FP), AX
	LEAQ (R12)(R13*4), R13
	SCORES(ADDMUL, four, inner, last, fold)
	RET

// func scoresVNNI(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)
TEXT ·scoresVNNI(SB), NOSPLIT, $0-56
	MOVQ query+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ scales+24(FP), BX
	MOVQ slots+32(FP), R12
	MOVQ n+40(FP), R13
	MOVQ out+48(FP), AX
	LEAQ (R12)(R13*4), R13
	SCORES(ADDMULVNNI, four, inner, last, fold)
	RET
