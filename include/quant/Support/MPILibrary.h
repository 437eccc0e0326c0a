//===- MPILibrary.h - the MPI library of this machine -----------*- C++ -*-===//

#ifndef QUANT_SUPPORT_MPILIBRARY_H
#define QUANT_SUPPORT_MPILIBRARY_H

#include "llvm/Support/Error.h"

#include <string>

namespace quantmlir {

/// Opens an MPI library, for all code of the process: the one that is open
/// already, else Open MPI's, MPICH's or one with its interface. Its path, or
/// why none is there.
llvm::Expected<std::string> openMPILibrary();

} // namespace quantmlir

#endif // QUANT_SUPPORT_MPILIBRARY_H
