//===- ExternalConstants.h - constants that leave the code ------*- C++ -*-===//
//
// Weights do not belong in machine code: a file of them can be mapped, shared
// between processes, and is neither parsed nor copied. Here constants of the
// LLVM dialect become places in such a file. `quant-externalize-constants` is
// the pass, docs/artifacts.md has the format.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CONVERSION_EXTERNALCONSTANTS_H
#define QUANT_CONVERSION_EXTERNALCONSTANTS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

#include <array>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quantmlir {

/// Constants of at least this size stay out of the code.
constexpr size_t kMinExternalBytes = 4096;
/// What the lowering of memrefs promises about the address of a constant.
constexpr uint64_t kConstantAlignment = 64;
/// The variable that says where a model's weights are (lib/Artifact/Support).
constexpr llvm::StringLiteral kWeightsSymbol = "quantWeights";

/// The bytes of a constant as code reads them, if there are `minBytes` at
/// least; empty for variables, splats and elements of less than a byte.
llvm::ArrayRef<char> getExternalBytes(mlir::LLVM::GlobalOp global,
                                      size_t minBytes = kMinExternalBytes);

/// A file of weights: a header of 64 bytes, and then constants, each at a
/// multiple of 64 bytes. The bytes are the module's context's.
class WeightsImage {
public:
  /// Appends `bytes`; where they will stand in the file.
  uint64_t add(llvm::ArrayRef<char> bytes);
  /// To be called when everything was added.
  void finish();

  bool isEmpty() const { return chunks.empty(); }
  uint64_t getSize() const { return size; }
  llvm::ArrayRef<uint8_t> getHash() const { return hash; }
  /// Writes the file.
  void print(llvm::raw_ostream &os) const;
  /// Writes the same to memory of getSize() bytes.
  void copyTo(char *memory) const;

private:
  std::array<char, 64> makeHeader() const;

  std::vector<std::pair<uint64_t, llvm::ArrayRef<char>>> chunks;
  uint64_t size = 64;
  std::array<uint8_t, 16> hash = {};
};

/// Replaces the addresses of large constants by places behind the address that
/// the variable `symbol` holds, and the constants by the image of a file.
WeightsImage externalizeConstants(mlir::ModuleOp module,
                                  llvm::StringRef symbol = kWeightsSymbol,
                                  size_t minBytes = kMinExternalBytes);

} // namespace quantmlir

#endif // QUANT_CONVERSION_EXTERNALCONSTANTS_H
