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
#include "mlir/IR/DialectResourceBlobManager.h"

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
  /// What holds the bytes of a resource.
  using Resource = mlir::DialectResourceBlobManager::BlobEntry;

  /// Appends `bytes`, which are those of `resource`, or of something that lives
  /// as long as the context; where they will stand in the file.
  uint64_t add(llvm::ArrayRef<char> bytes, Resource *resource = nullptr);
  /// To be called when everything was added.
  void finish();

  bool isEmpty() const { return chunks.empty(); }
  uint64_t getSize() const { return size; }
  llvm::ArrayRef<uint8_t> getHash() const { return hash; }
  /// Writes the file.
  void print(llvm::raw_ostream &os) const;
  /// Writes the same to memory of getSize() bytes, and frees each resource when
  /// its bytes are there, but for those that `module` has: weights of gigabytes
  /// are in memory once. Nobody may use the others, or the image, after it: a
  /// context in which another module has them would lose them.
  void moveTo(char *memory, mlir::ModuleOp module) &&;

private:
  std::array<char, 64> makeHeader() const;

  struct Chunk {
    uint64_t offset;
    llvm::ArrayRef<char> bytes;
    Resource *resource;
  };

  /// Calls `visit` with what lies in the file after the header, in its order,
  /// and `done` behind each chunk.
  void visitBytes(
      llvm::function_ref<void(llvm::StringRef)> visit,
      llvm::function_ref<void(const Chunk &)> done = [](const Chunk &) {
      }) const;

  std::vector<Chunk> chunks;
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
