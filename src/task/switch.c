/* SPDX-License-Identifier: ISC */
/* The switch between stacks. One of the parts below is compiled, chosen by switch.h.
 *
 * What is saved is what the calling convention says a function preserves: on x86-64 also the control words of both
 * floating point units, since a rounding mode that one fiber has set is not another's; on arm, aarch64 and riscv64 they
 * belong to the thread by convention, and are left alone. Signal masks are left alone everywhere.
 *
 * A new stack is made to look like one that was left, with the function and its argument in two preserved registers,
 * and `gyi_switch_begin` as the place to go on at, which calls. That place says in its unwind information that nobody
 * called it, so that backtraces end there; on aarch64 and riscv64 the debuggers look for a zeroed link register too.
 *
 * On x86-64 the last step is a jump and not a return: the processor predicts returns by the calls that it has seen, and
 * would be wrong each time. Shadow stacks (CET, GCS) are not switched: a process that enforces them has to build with
 * GYI_SWITCH_UCONTEXT, whose C library knows how to. */
#include "task/switch.h"

#if defined(GYI_SWITCH_ASM)

/* Names carry an underscore on macOS, and objects have other attributes there. */
#if defined(__APPLE__)
#define SWITCH_NAME(name)  "_" name
#define SWITCH_BEGIN(name)                                                                                            \
    ".text\n.p2align 4\n.globl _" name "\n.private_extern _" name "\n_" name ":\n.cfi_startproc\n"
#define SWITCH_END(name)   ".cfi_endproc\n"
#else
#define SWITCH_NAME(name) name
#define SWITCH_BEGIN(name)                                                                                            \
    ".text\n.p2align 4\n.globl " name "\n.hidden " name "\n.type " name ", %function\n" name ":\n.cfi_startproc\n"
#define SWITCH_END(name) ".cfi_endproc\n.size " name ", .-" name "\n"
#endif

void gyi_switch_begin(void);

#if defined(__x86_64__)

enum { SWITCH_WORDS = 8, SWITCH_ARG = 4, SWITCH_ENTRY = 3, SWITCH_PC = 7 };

/* The two control words, as they are where the context is made. */
static inline void switch_modes(void **frame) {
    __asm__ volatile("stmxcsr %0" : "=m"(*(uint32_t *)(void *)frame));
    __asm__ volatile("fnstcw %0" : "=m"(*(uint16_t *)(void *)((char *)frame + 4)));
}

/* clang-format off */
__asm__(
    SWITCH_BEGIN("gyi_switch")
    "endbr64\n"
    "pushq %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n"
    "pushq %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbx, 0\n"
    "pushq %r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r12, 0\n"
    "pushq %r13\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r13, 0\n"
    "pushq %r14\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r14, 0\n"
    "pushq %r15\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r15, 0\n"
    "subq $8, %rsp\n.cfi_adjust_cfa_offset 8\n"
    "stmxcsr (%rsp)\n"
    "fnstcw 4(%rsp)\n"
    "movq %rsp, (%rdi)\n"
    "movq (%rsi), %rsp\n"
    "ldmxcsr (%rsp)\n"
    "fldcw 4(%rsp)\n"
    "addq $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
    "popq %r15\n.cfi_adjust_cfa_offset -8\n.cfi_restore r15\n"
    "popq %r14\n.cfi_adjust_cfa_offset -8\n.cfi_restore r14\n"
    "popq %r13\n.cfi_adjust_cfa_offset -8\n.cfi_restore r13\n"
    "popq %r12\n.cfi_adjust_cfa_offset -8\n.cfi_restore r12\n"
    "popq %rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbx\n"
    "popq %rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbp\n"
    "popq %rcx\n.cfi_adjust_cfa_offset -8\n.cfi_register rip, rcx\n"
    "jmpq *%rcx\n"
    SWITCH_END("gyi_switch")
    SWITCH_BEGIN("gyi_switch_begin")
    ".cfi_undefined rip\n"
    "endbr64\n"
    "movq %r12, %rdi\n"
    "callq *%r13\n"
    "ud2\n"
    SWITCH_END("gyi_switch_begin"));
/* clang-format on */

#elif defined(__aarch64__)

enum { SWITCH_WORDS = 20, SWITCH_ARG = 0, SWITCH_ENTRY = 1, SWITCH_PC = 11 };

static inline void switch_modes(void **frame) { (void)frame; }

/* clang-format off */
__asm__(
    SWITCH_BEGIN("gyi_switch")
    "hint #34\n" /* bti c */
    "sub sp, sp, #160\n.cfi_adjust_cfa_offset 160\n"
    "stp x19, x20, [sp]\n.cfi_rel_offset x19, 0\n.cfi_rel_offset x20, 8\n"
    "stp x21, x22, [sp, #16]\n.cfi_rel_offset x21, 16\n.cfi_rel_offset x22, 24\n"
    "stp x23, x24, [sp, #32]\n.cfi_rel_offset x23, 32\n.cfi_rel_offset x24, 40\n"
    "stp x25, x26, [sp, #48]\n.cfi_rel_offset x25, 48\n.cfi_rel_offset x26, 56\n"
    "stp x27, x28, [sp, #64]\n.cfi_rel_offset x27, 64\n.cfi_rel_offset x28, 72\n"
    "stp x29, x30, [sp, #80]\n.cfi_rel_offset x29, 80\n.cfi_rel_offset x30, 88\n"
    "stp d8, d9, [sp, #96]\n"
    "stp d10, d11, [sp, #112]\n"
    "stp d12, d13, [sp, #128]\n"
    "stp d14, d15, [sp, #144]\n"
    "mov x9, sp\n"
    "str x9, [x0]\n"
    "ldr x9, [x1]\n"
    "mov sp, x9\n"
    "ldp x19, x20, [sp]\n"
    "ldp x21, x22, [sp, #16]\n"
    "ldp x23, x24, [sp, #32]\n"
    "ldp x25, x26, [sp, #48]\n"
    "ldp x27, x28, [sp, #64]\n"
    "ldp x29, x30, [sp, #80]\n"
    "ldp d8, d9, [sp, #96]\n"
    "ldp d10, d11, [sp, #112]\n"
    "ldp d12, d13, [sp, #128]\n"
    "ldp d14, d15, [sp, #144]\n"
    "add sp, sp, #160\n.cfi_adjust_cfa_offset -160\n"
    "ret\n"
    SWITCH_END("gyi_switch")
    SWITCH_BEGIN("gyi_switch_begin")
    ".cfi_undefined x30\n"
    "mov x0, x19\n"
    "mov x30, #0\n"
    "blr x20\n"
    "brk #1\n"
    SWITCH_END("gyi_switch_begin"));
/* clang-format on */

#elif defined(__arm__)

enum { SWITCH_WORDS = 26, SWITCH_ARG = 17, SWITCH_ENTRY = 18, SWITCH_PC = 25 };

static inline void switch_modes(void **frame) { (void)frame; }

#if defined(__thumb__)
#define SWITCH_BACK ".thumb\n"
#else
#define SWITCH_BACK
#endif

/* The word before the link register is padding, so that the stack stays aligned to eight. */
/* clang-format off */
__asm__(
    ".syntax unified\n.arm\n"
    SWITCH_BEGIN("gyi_switch")
    "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n.cfi_adjust_cfa_offset 36\n.cfi_rel_offset lr, 32\n"
    "sub sp, sp, #4\n.cfi_adjust_cfa_offset 4\n"
    "vpush {d8-d15}\n.cfi_adjust_cfa_offset 64\n"
    "str sp, [r0]\n"
    "ldr sp, [r1]\n"
    "vpop {d8-d15}\n.cfi_adjust_cfa_offset -64\n"
    "add sp, sp, #4\n.cfi_adjust_cfa_offset -4\n"
    "pop {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n.cfi_adjust_cfa_offset -36\n.cfi_restore lr\n"
    "bx lr\n"
    SWITCH_END("gyi_switch")
    SWITCH_BEGIN("gyi_switch_begin")
    ".cfi_undefined lr\n"
    "mov r0, r4\n"
    "mov r11, #0\n"
    "mov lr, #0\n"
    "blx r5\n"
    "udf #0\n"
    SWITCH_END("gyi_switch_begin")
    SWITCH_BACK);
/* clang-format on */

#else /* riscv64 */

enum { SWITCH_WORDS = 26, SWITCH_ARG = 1, SWITCH_ENTRY = 2, SWITCH_PC = 0 };

static inline void switch_modes(void **frame) { (void)frame; }

/* clang-format off */
__asm__(
    SWITCH_BEGIN("gyi_switch")
    "addi sp, sp, -208\n.cfi_adjust_cfa_offset 208\n"
    "sd ra, 0(sp)\n.cfi_rel_offset ra, 0\n"
    "sd s0, 8(sp)\n.cfi_rel_offset s0, 8\n"
    "sd s1, 16(sp)\nsd s2, 24(sp)\nsd s3, 32(sp)\nsd s4, 40(sp)\nsd s5, 48(sp)\nsd s6, 56(sp)\n"
    "sd s7, 64(sp)\nsd s8, 72(sp)\nsd s9, 80(sp)\nsd s10, 88(sp)\nsd s11, 96(sp)\n"
    "fsd fs0, 104(sp)\nfsd fs1, 112(sp)\nfsd fs2, 120(sp)\nfsd fs3, 128(sp)\nfsd fs4, 136(sp)\nfsd fs5, 144(sp)\n"
    "fsd fs6, 152(sp)\nfsd fs7, 160(sp)\nfsd fs8, 168(sp)\nfsd fs9, 176(sp)\nfsd fs10, 184(sp)\nfsd fs11, 192(sp)\n"
    "sd sp, 0(a0)\n"
    "ld sp, 0(a1)\n"
    "ld ra, 0(sp)\n"
    "ld s0, 8(sp)\nld s1, 16(sp)\nld s2, 24(sp)\nld s3, 32(sp)\nld s4, 40(sp)\nld s5, 48(sp)\nld s6, 56(sp)\n"
    "ld s7, 64(sp)\nld s8, 72(sp)\nld s9, 80(sp)\nld s10, 88(sp)\nld s11, 96(sp)\n"
    "fld fs0, 104(sp)\nfld fs1, 112(sp)\nfld fs2, 120(sp)\nfld fs3, 128(sp)\nfld fs4, 136(sp)\nfld fs5, 144(sp)\n"
    "fld fs6, 152(sp)\nfld fs7, 160(sp)\nfld fs8, 168(sp)\nfld fs9, 176(sp)\nfld fs10, 184(sp)\nfld fs11, 192(sp)\n"
    "addi sp, sp, 208\n.cfi_adjust_cfa_offset -208\n"
    "ret\n"
    SWITCH_END("gyi_switch")
    SWITCH_BEGIN("gyi_switch_begin")
    ".cfi_undefined ra\n"
    "mv a0, s0\n"
    "mv t0, s1\n"
    "li s0, 0\n"
    "li ra, 0\n"
    "jalr t0\n"
    "unimp\n"
    SWITCH_END("gyi_switch_begin"));
/* clang-format on */

#endif

/* A frame as gyi_switch leaves it, which ends below two words that stay zero: where a return address would be. */
void gyi_switch_make(gyi_context *to, void *low, void *top, void (*entry)(void *), void *arg) {
    void **frame = (void **)top - 2 - SWITCH_WORDS;
    (void)low;
    for (int i = 0; i < SWITCH_WORDS + 2; i++) frame[i] = NULL;
    switch_modes(frame);
    frame[SWITCH_ARG] = arg;
    *(void (**)(void *))&frame[SWITCH_ENTRY] = entry;
    *(void (**)(void))&frame[SWITCH_PC] = gyi_switch_begin;
    to->sp = frame;
}

#else

/* makecontext() hands over ints, so a pointer goes in two halves. */
static void switch_begin(unsigned high, unsigned low, unsigned arg_high, unsigned arg_low) {
    uintptr_t entry = (uintptr_t)((uint64_t)high << 32 | low), arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);
    ((void (*)(void *))entry)((void *)arg);
}

void gyi_switch_make(gyi_context *to, void *low, void *top, void (*entry)(void *), void *arg) {
    uint64_t fn = (uint64_t)(uintptr_t)entry, ptr = (uint64_t)(uintptr_t)arg;
    getcontext(&to->at);
    to->at.uc_stack.ss_sp = low;
    to->at.uc_stack.ss_size = (size_t)((char *)top - (char *)low);
    to->at.uc_link = NULL;
    makecontext(&to->at, (void (*)(void))switch_begin, 4, (unsigned)(fn >> 32), (unsigned)fn, (unsigned)(ptr >> 32),
                (unsigned)ptr);
}

void gyi_switch(gyi_context *from, gyi_context *to) { swapcontext(&from->at, &to->at); }

#endif
