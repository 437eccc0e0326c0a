//===- Npz.h - NumPy's archive of arrays ------------------------*- C++ -*-===//
//
// An NPZ file is a zip archive of NPY files. Members may be stored or deflated
// (`np.savez`, `np.savez_compressed`); encryption, archives in parts and
// members of 4 GiB are not read. Specification: PKWARE's APPNOTE.TXT, 4.3.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_HOST_NPZ_H
#define QUANT_RUNTIME_HOST_NPZ_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <limits>
#include <string>
#include <vector>

namespace quantmlir {

/// One array of an archive.
struct NpzMember {
  /// Without `.npy`.
  std::string name;
  /// An NPY file.
  std::string bytes;
};

/// The arrays for which `isWanted` says so, in the archive's order. Nothing
/// else is inflated, no bytes are those of two members, and no member is
/// inflated further than `limit` bytes, where one is given. Every length and,
/// of whole members, every checksum is verified.
llvm::Expected<std::vector<NpzMember>>
readNpz(llvm::StringRef path,
        llvm::function_ref<bool(llvm::StringRef name)> isWanted,
        size_t limit = std::numeric_limits<size_t>::max());

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_NPZ_H
