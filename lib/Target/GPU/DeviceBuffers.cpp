//===- DeviceBuffers.cpp - buffers that only kernels touch ----------------===//

#include "quant/Target/GPU/DeviceBuffers.h"
#include "quant/Target/GPU/HostCalls.h"

#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Target/IR/PackedMatmul.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

bool device::becomesKernel(Operation *op) {
  return isa<qtarget::PackedMatmulOp, QuantizeRowsOp>(op);
}

/// Whether kernels, and they alone, use the memory of `alloc`.
static bool isForKernelsAlone(memref::AllocOp alloc) {
  bool used = false;
  for (Operation *user : alloc->getUsers()) {
    if (isa<memref::DeallocOp>(user))
      continue;
    if (!becomesKernel(user))
      return false;
    used = true;
  }
  return used;
}

DeviceBuffers::DeviceBuffers(RewriterBase &b, ModuleOp module) {
  SmallVector<memref::AllocOp> allocs;
  module.walk([&](memref::AllocOp alloc) {
    if (isForKernelsAlone(alloc))
      allocs.push_back(alloc);
  });
  for (memref::AllocOp alloc : allocs) {
    b.setInsertionPoint(alloc);
    HostCalls host(b, alloc.getLoc(), module, /*resident=*/nullptr);
    Value address = host.allocate(alloc);
    addresses.insert({alloc, address});
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers())) {
      if (!isa<memref::DeallocOp>(user))
        continue;
      b.setInsertionPoint(user);
      host.free(address);
      b.eraseOp(user);
    }
  }
}

void DeviceBuffers::eraseAllocations(RewriterBase &b) {
  for (auto [memref, address] : addresses)
    b.eraseOp(memref.getDefiningOp());
}
