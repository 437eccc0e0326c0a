//===- MPILibrary.cpp - the MPI library of this machine -------------------===//

#include "quant/Support/MPILibrary.h"

#include <dlfcn.h>

using namespace quantmlir;

llvm::Expected<std::string> quantmlir::openMPILibrary() {
  std::string reasons;
  for (int mode : {RTLD_NOLOAD, 0})
    for (const char *name :
         {"libmpi.so.40", "libmpich.so.12", "libmpi.so.12"}) {
      void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL | mode);
      if (!library) {
        if (mode == 0)
          reasons += std::string("\n  ") + dlerror();
        continue;
      }
      Dl_info info;
      if (dladdr(dlsym(library, "MPI_Init"), &info))
        return std::string(info.dli_fname);
      return llvm::createStringError(llvm::Twine(name) + " has no MPI_Init");
    }
  return llvm::createStringError(
      "no MPI library is installed (Debian: openmpi-bin):" + reasons);
}
