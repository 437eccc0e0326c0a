//===- Statistics.cpp - lookup, identity and second moments ---------------===//

#include "quant/Calibration/Statistics.h"

#include "quant/Runtime/Host/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

#include <cstring>

using namespace quantmlir;

std::string quantmlir::hashMatmuls(llvm::ArrayRef<MatmulShape> matmuls) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto print = [&](std::optional<int64_t> size) {
    if (size)
      os << *size;
    else
      os << '?';
  };
  for (const MatmulShape &matmul : matmuls) {
    os << matmul.name << ' ';
    print(matmul.m);
    os << 'x';
    print(matmul.k);
    os << 'x';
    print(matmul.n);
    os << ';';
  }
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true,
                         /*Width=*/16);
}

const MatmulStatistics *Statistics::find(llvm::StringRef name) const {
  for (const MatmulStatistics &matmul : matmuls)
    if (matmul.shape.name == name)
      return &matmul;
  return nullptr;
}

const MatmulStatistics *
MatmulStatistics::findRotated(llvm::StringRef name) const {
  for (const MatmulStatistics &statistics : rotated)
    if (statistics.rotation == name)
      return &statistics;
  return nullptr;
}

llvm::Error Statistics::verifyModel(llvm::StringRef path,
                                    llvm::StringRef hash) const {
  if (model == hash)
    return llvm::Error::success();
  return llvm::createStringError(
      path + ": the statistics are of another model: expected " + hash +
      ", found " + model + " (names and sizes of " +
      llvm::Twine(matmuls.size()) + " matmuls)");
}

llvm::Expected<std::vector<float>>
quantmlir::readSecondMoment(const MatmulStatistics &matmul) {
  if (matmul.secondMoment.empty() || !matmul.shape.k)
    return llvm::createStringError("no second moments were collected for '" +
                                   matmul.shape.name +
                                   "' (quant-run --second-moments)");
  int64_t k = *matmul.shape.k;
  auto tensor = readNpy(matmul.secondMoment, {HostType::F32, {k, k}});
  if (!tensor)
    return tensor.takeError();
  std::vector<float> values(tensor->getNumElements());
  std::memcpy(values.data(), tensor->getData(), tensor->getBytes().size());
  return values;
}
