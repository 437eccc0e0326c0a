//===- Npy.h - NumPy's file format ------------------------------*- C++ -*-===//
//
// NPY versions 1 and 2, little endian, C order. Files come from anywhere: every
// field is checked before it is used, and each error names the file, what was
// expected and what was found. Specification: NumPy's numpy.lib.format.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_HOST_NPY_H
#define QUANT_RUNTIME_HOST_NPY_H

#include "quant/Runtime/Host/HostTensor.h"

namespace quantmlir {

/// Reads a file that must hold elements of `expected.element` in a shape that
/// fits `expected.shape`, whose dynamic sizes the file gives. bf16, which NPY
/// has no name for, is two opaque bytes ('V2').
llvm::Expected<HostTensor> readNpy(llvm::StringRef path,
                                   const HostTensorType &expected);

/// The shape that a file's header says.
llvm::Expected<llvm::SmallVector<int64_t>> readNpyShape(llvm::StringRef path);

/// The same two of a file's bytes; `path` serves messages.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef path, llvm::StringRef bytes,
                                    const HostTensorType &expected);
llvm::Expected<llvm::SmallVector<int64_t>> parseNpyShape(llvm::StringRef path,
                                                         llvm::StringRef bytes);

/// The bytes of a file for `tensor`.
void printNpy(const HostTensor &tensor, llvm::raw_ostream &os);

/// Writes one file for each tensor, `DIR/out0.npy` and on, and makes DIR. All
/// are written under temporary names first: what appears is complete.
llvm::Error writeNpyFiles(llvm::StringRef dir,
                          llvm::ArrayRef<HostTensor> tensors);

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_NPY_H
