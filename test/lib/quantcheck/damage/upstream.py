"""Faults of upstream's own code that damage reaches, each by a signature that
nothing else has, with the reason why it is not refused before.
docs/upstream-semantics.md lists them for users."""

from dataclasses import dataclass


@dataclass
class Known:
    # A regular expression that the errors of the tool match.
    signature: str
    reason: str


# Frames of the stack above what is named; none of them is this project's.
_UPSTREAM = r"(?ms)^ ?0  lib((?!^\s*\d+ +quant-\w+ ).)*"

KNOWN = [
    Known(_UPSTREAM + r"mlir::BytecodeReader::Impl::",
          "MLIR 22.1.8 believes what a bytecode file says of its own: it "
          "reserves as many regions, values or operations as the file says "
          "(`LLVM ERROR: SmallVector unable to grow`), and follows numbers of "
          "types and attributes that are not there. Files that MLIR wrote do "
          "not say so; bytecode from strangers is not to be read."),
    Known(_UPSTREAM + r"mlir::FloatType::getWidth.*"
          r"mlir::detail::Parser::parseDenseArrayAttr",
          "MLIR 22.1.8's parser asks the type of `array<index: 1>` for its "
          "width, in an attribute of any op."),
    Known(_UPSTREAM + r"mlir::FloatType::getWidth.*"
          r"mlir::AsmPrinter::Impl::printDenseArrayAttr",
          "The same where MLIR prints such an attribute, which damaged bytecode "
          "can hold, in a diagnostic of its own."),
    Known(_UPSTREAM + r"mlir::LLVM::(Insert|Extract)ValueOp::parse",
          "MLIR 22.1.8's parser looks for element 2^32 of a struct that has fewer."),
    Known(r"<<UNKNOWN SSA VALUE>>",
          "The number -2^63 in a list of static sizes stands for one of the run "
          "in MLIR 22.1.8; written in a program, its operand is missing, and "
          "`mlir-opt` prints such a program."),
    Known(_UPSTREAM + r"mlir::NamedAttrList::set.*"
          r"mlir::linalg::(Transpose|Broadcast|Reduce)Op::parse",
          "MLIR 22.1.8's parser of `linalg.transpose` and its like goes on "
          "where the list after `permutation =` could not be parsed."),
    Known(r"(?s)could not cast operand of type.*"
          r"MLIR Parser: custom op parser 'linalg\.",
          "MLIR 22.1.8's parser makes the body of a named linalg op from the "
          "element types of its operands; those of vectors are the vectors, and "
          "what cannot be cast to its result is not refused."),
    Known(r"error: expected [^\n]*type\n"
          r"[^\n]*[<x]-\d+x",
          "MLIR 22.1.8 reads negative sizes from bytecode, and prints them."),
    Known(r"(?s)note: in bytecode version.*PLEASE submit",
          "MLIR 22.1.8's reader of bytecode has refused the file, after it wrote "
          "where it should not: the context dies when it is destroyed."),
    Known(r"(?s)^(malloc|free|realloc|corrupted).*"
          r"Program arguments: [^\n]*\.mlirbc -o [^\n]*--mlir-disable-threading"
          r"\n",
          "The same reader, which wrote where it should not."),
    Known(r"elements hex data size is invalid for provided type",
          "MLIR 22.1.8 parses `dense<(1.0, 2.0)>` of a type that is not complex, "
          "and prints it as twice the data."),
    Known(r"(?s)out of memory.*Stack dump.*mlir-translate",
          "A vector of 2^31 elements has no room in LLVM's lists of elements."),
    Known(r"Incorrect alignment of argument passed to called function!\n"
          r"[^\n]*<4294967295 x ",
          "A vector of 2^63 - 1 lanes has 2^32 - 1 in LLVM."),
    Known(r"(?ms)mlir-translate.*llvm::ArrayType::get.*convertGlobals",
          "`!llvm.array<12 x index>`, which the LLVM dialect's verifier takes, "
          "is no type of LLVM: a program that has it before a pipeline has it "
          "behind one."),
    Known(_UPSTREAM + r"mlir::tensor::ConcatOp::verify",
          "MLIR 22.1.8's verifier of `tensor.concat` does not look whether the "
          "dimension is negative, and reads sizes at it."),
    Known(r"error: expected integer value\n[^\n]*!quant\.uniform<[^\n]*:[},]",
          "MLIR 22.1.8 cuts zero points of blocks to the width of their storage "
          "where it prints them: those that have no place in it may leave "
          "nothing behind the colon, which does not parse."),
    Known(_UPSTREAM + r"mlir::shard::ReduceScatterOp::verifySymbolUses",
          "MLIR 22.1.8's verifier of `shard.reduce_scatter` does not look whether "
          "the dimension is one of the tensor, and reads its size, and divides by "
          "the number of ranks where that is 0."),
    Known(r"sharded dims offsets (must be non-decreasing|has wrong size)\.\n"
          r"[^\n]*split_axes = \[.*\b\d{2,}\b.*sharded_dims_offsets",
          "MLIR 22.1.8's verifier of `shard.sharding` reads the grid's size at an "
          "axis that the grid does not have, so that what follows in memory says "
          "where offsets begin: the same text verifies or does not."),
]
