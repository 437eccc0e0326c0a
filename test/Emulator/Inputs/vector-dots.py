"""Assembly of every dot product of bytes and form of operand, for
vector-dots.cpp.

usage: vector-dots.py WIDEST > vector-dots.s   (WIDEST: bits, 256 or 512)"""

import sys

SIGNS = {"ss": (1, 1), "su": (1, 0), "us": (0, 1), "uu": (0, 0)}
# Operand in memory, and what makes it: %rsi is left, %rdx is right.
FORMS = {
    "register": ("{0}2", ["vmovdqu{1} (%rdx), {0}2"]),
    "high": ("{0}13", ["vmovdqu{1} (%rdx), {0}13"]),
    "plain": ("(%rdx)", []),
    "index": ("-8(%rdx,%rcx,4)", ["movq $2, %rcx"]),
    "byte": ("64(%r11)", ["leaq -64(%rdx), %r11"]),
    "long": ("65536(%r10,%rcx)", ["leaq -65536(%rdx), %r10",
                                  "xorl %ecx, %ecx"]),
    "relative": ("vectorDotsConstant(%rip)", []),
}


def main():
    widest = int(sys.argv[1])
    routines = []
    print(".text")
    for bits, vector in ((128, "%xmm"), (256, "%ymm"), (512, "%zmm")):
        if bits > widest:
            break
        move = "64" if bits == 512 else ""
        for signs, (left, right) in SIGNS.items():
            # AVX-512 has the form with these signs itself.
            if signs == "us" and bits == 512:
                continue
            forms = dict(FORMS)
            if bits == 512:
                forms["highest"] = ("%zmm29", ["vmovdqu64 (%rdx), %zmm29"])
                forms["broadcast"] = ("(%rdx){{1to16}}", [])
            for form, (operand, before) in forms.items():
                routines.append((f"vpdpb{signs}d {form} {bits}", left, right,
                                 bits // 8, int(form == "broadcast")))
                print(f"routine{len(routines) - 1}:")
                for line in before:
                    print("  " + line.format(vector, move))
                sums, other = ("17", "30") if bits == 512 and form in (
                    "highest", "broadcast") else ("9", "1")
                print(f"  vmovdqu{move} (%rdi), {vector}{sums}")
                print(f"  vmovdqu{move} (%rsi), {vector}{other}")
                prefix = "{vex} " if bits < 512 else ""
                print(f"  {prefix}vpdpb{signs}d {operand.format(vector)}, "
                      f"{vector}{other}, {vector}{sums}")
                if widest == 512:
                    print(f"  vmovdqu64 %zmm{sums}, (%rdi)")
                else:
                    print(f"  vmovdqu %ymm{sums}, (%rdi)")
                    print("  movq $0, %rax")
                    for at in range(32, 64, 8):
                        print(f"  movq %rax, {at}(%rdi)")
                print("  vzeroupper\n  ret")
    print(".data\n.globl vectorDots, numVectorDots, vectorDotsConstant")
    print(".balign 64\nvectorDotsConstant: .zero 64")
    print(f"numVectorDots: .quad {len(routines)}\nvectorDots:")
    for i, (name, left, right, size, broadcasts) in enumerate(routines):
        print(f"  .quad routine{i}, name{i}, {left}, {right}, {size}, "
              f"{broadcasts}")
    for i, (name, *_) in enumerate(routines):
        print(f'name{i}: .asciz "{name}"')
    print('.section .note.GNU-stack,"",@progbits')


main()
