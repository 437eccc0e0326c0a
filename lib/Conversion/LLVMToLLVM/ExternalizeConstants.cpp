//===- ExternalizeConstants.cpp - weights in a file of their own ----------===//
//
// `quant-externalize-constants`. Runs on the LLVM dialect, where what is left
// of a weight is one global, packed as the kernels read it, and all that is
// known of it is its address.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/ExternalConstants.h"
#include "quant/Conversion/Passes.h"
#include "quant/Runtime/Host/FileSet.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTEXTERNALIZECONSTANTSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

ArrayRef<char> quantmlir::getExternalBytes(LLVM::GlobalOp global,
                                           size_t minBytes) {
  Attribute value = global.getValueOrNull();
  ArrayRef<char> bytes;
  // The program writes to its variables, the attribute's bytes stay.
  if (!global.getConstant())
    return bytes;
  // Elements of less than a byte are not stored as the code reads them.
  auto elements = dyn_cast_or_null<ElementsAttr>(value);
  if (!elements || !elements.getElementType().isIntOrFloat() ||
      elements.getElementType().getIntOrFloatBitWidth() % 8 != 0)
    return bytes;
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value)) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  } else if (auto dense = dyn_cast_or_null<DenseElementsAttr>(value)) {
    if (!dense.isSplat())
      bytes = dense.getRawData();
  }
  return bytes.size() < minBytes ? ArrayRef<char>() : bytes;
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

uint64_t WeightsImage::add(ArrayRef<char> bytes, Resource *resource) {
  uint64_t offset = llvm::alignTo(size, kConstantAlignment);
  chunks.push_back({offset, bytes, resource});
  size = offset + bytes.size();
  return offset;
}

void WeightsImage::visitBytes(
    llvm::function_ref<void(StringRef)> visit,
    llvm::function_ref<void(const Chunk &)> done) const {
  static constexpr char zeros[kConstantAlignment] = {};
  uint64_t at = 64;
  for (const Chunk &chunk : chunks) {
    visit(StringRef(zeros, chunk.offset - at));
    visit(StringRef(chunk.bytes.data(), chunk.bytes.size()));
    at = chunk.offset + chunk.bytes.size();
    done(chunk);
  }
}

void WeightsImage::finish() {
  llvm::BLAKE3 hasher;
  visitBytes([&](StringRef bytes) { hasher.update(bytes); });
  hash = hasher.final<16>();
}

/// As lib/Artifact/Support/Support.c reads it.
std::array<char, 64> WeightsImage::makeHeader() const {
  std::array<char, 64> header = {};
  std::memcpy(header.data(), "QUANTWTS", 8);
  llvm::support::endian::write32le(&header[8], /*version=*/1);
  llvm::support::endian::write64le(&header[16], size);
  std::memcpy(&header[24], hash.data(), hash.size());
  return header;
}

void WeightsImage::print(llvm::raw_ostream &os) const {
  std::array<char, 64> header = makeHeader();
  os.write(header.data(), header.size());
  visitBytes([&](StringRef bytes) { os << bytes; });
}

/// The resources that the module's attributes refer to.
static DenseSet<WeightsImage::Resource *> findResources(ModuleOp module) {
  DenseSet<WeightsImage::Resource *> found;
  module.walk([&](Operation *op) {
    op->getAttrDictionary().walk([&](DenseResourceElementsAttr attr) {
      found.insert(attr.getRawHandle().getResource());
    });
  });
  return found;
}

void WeightsImage::moveTo(char *memory, ModuleOp module) && {
  DenseSet<Resource *> kept = findResources(module);
  // Constants of the same numbers may share theirs.
  DenseMap<Resource *, unsigned> uses;
  for (const Chunk &chunk : chunks)
    ++uses[chunk.resource];
  auto copy = [&](StringRef bytes) {
    std::memcpy(memory, bytes.data(), bytes.size());
    memory += bytes.size();
  };
  std::array<char, 64> header = makeHeader();
  copy(StringRef(header.data(), header.size()));
  visitBytes(copy, [&](const Chunk &chunk) {
    if (chunk.resource && --uses[chunk.resource] == 0 &&
        !kept.contains(chunk.resource))
      chunk.resource->setBlob(AsmResourceBlob());
  });
  chunks.clear();
}

//===----------------------------------------------------------------------===//
// The code
//===----------------------------------------------------------------------===//

/// The ops that take the address of `global`, if all of them are in functions.
static std::optional<SmallVector<LLVM::AddressOfOp>>
findAddresses(LLVM::GlobalOp global, ModuleOp module) {
  SmallVector<LLVM::AddressOfOp> addresses;
  auto uses = SymbolTable::getSymbolUses(global.getSymNameAttr(), module);
  if (!uses)
    return std::nullopt;
  for (SymbolTable::SymbolUse use : *uses) {
    auto address = dyn_cast<LLVM::AddressOfOp>(use.getUser());
    if (!address || !address->getParentOfType<LLVM::LLVMFuncOp>())
      return std::nullopt;
    addresses.push_back(address);
  }
  return addresses;
}

static void replaceAddress(LLVM::AddressOfOp address, StringRef symbol,
                           uint64_t offset) {
  OpBuilder builder(address);
  Location loc = address.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(address.getContext());
  Value variable = LLVM::AddressOfOp::create(builder, loc, pointer, symbol);
  // Set before the program is called, and never again.
  auto base = LLVM::LoadOp::create(builder, loc, pointer, variable);
  base.setInvariant(true);
  Value distance = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                            builder.getI64IntegerAttr(offset));
  Value place = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(),
                                    base, ValueRange{distance});
  address.replaceAllUsesWith(place);
  address.erase();
}

WeightsImage quantmlir::externalizeConstants(ModuleOp module, StringRef symbol,
                                             size_t minBytes) {
  WeightsImage image;
  for (auto global :
       llvm::make_early_inc_range(module.getOps<LLVM::GlobalOp>())) {
    ArrayRef<char> bytes = getExternalBytes(global, minBytes);
    if (bytes.empty() || global.getAlignment().value_or(0) > kConstantAlignment)
      continue;
    auto addresses = findAddresses(global, module);
    if (!addresses)
      continue;
    WeightsImage::Resource *resource = nullptr;
    if (auto attr = dyn_cast<DenseResourceElementsAttr>(*global.getValue()))
      resource = attr.getRawHandle().getResource();
    uint64_t offset = image.add(bytes, resource);
    for (LLVM::AddressOfOp address : *addresses)
      replaceAddress(address, symbol, offset);
    global.erase();
  }
  image.finish();
  if (image.isEmpty())
    return image;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  LLVM::GlobalOp::create(builder, module.getLoc(), pointer,
                         /*isConstant=*/false, LLVM::Linkage::External, symbol,
                         /*value=*/Attribute());
  return image;
}

namespace {
struct QuantExternalizeConstantsPass
    : quantmlir::impl::QuantExternalizeConstantsPassBase<
          QuantExternalizeConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (file.empty()) {
      emitError(module.getLoc(),
                "expected the option `file`, where the constants go");
      return signalPassFailure();
    }
    if (SymbolTable(module).lookup(symbol)) {
      emitError(module.getLoc()) << "the symbol '" << symbol << "' is taken";
      return signalPassFailure();
    }
    WeightsImage image = externalizeConstants(module, symbol, minBytes);
    numBytes += image.isEmpty() ? 0 : image.getSize();
    FileSet files;
    llvm::Error error = files.add(
        file, [&](llvm::raw_ostream &os) { image.print(os); },
        /*folder=*/false);
    if (!error)
      error = files.keep();
    if (error) {
      emitError(module.getLoc()) << llvm::toString(std::move(error));
      return signalPassFailure();
    }
  }
};
} // namespace
