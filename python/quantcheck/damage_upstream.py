"""Faults of upstream's own code that damage reaches, each by a signature that
nothing else has, with the reason why it is not refused before.
docs/upstream-semantics.md lists them for users."""

from dataclasses import dataclass


@dataclass
class Known:
    # A regular expression that the errors of the tool match.
    signature: str
    reason: str


KNOWN = [
    Known(r"(?s)LLVM ERROR: SmallVector unable to grow.*"
          r"mlir::BytecodeReader::Impl::",
          "MLIR 22.1.8 reserves as many regions, values or operations as a "
          "bytecode file says before it reads them. A file that was written by "
          "MLIR does not say so; whoever reads files from strangers must not "
          "read bytecode in the same process."),
    Known(r"(?s)mlir::FloatType::getWidth.*"
          r"mlir::detail::Parser::parseDenseArrayAttr",
          "MLIR 22.1.8's parser asks the type of `array<index: 1>` for its "
          "width, in an attribute of any op."),
]
