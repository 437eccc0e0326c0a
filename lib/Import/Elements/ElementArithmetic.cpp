//===- ElementArithmetic.cpp - one operation on numbers -------------------===//

#include "ElementArithmetic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

double quantmlir::roundTo(double value, Type type) {
  if (type.isF32())
    return static_cast<float>(value);
  if (type.isF64())
    return value;
  bool losesInfo = false;
  APFloat rounded(value);
  rounded.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
  rounded.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
  return rounded.convertToDouble();
}

int64_t quantmlir::wrap(uint64_t value, unsigned width) {
  return width >= 64 ? static_cast<int64_t>(value)
                     : llvm::SignExtend64(value, width);
}

uint64_t quantmlir::unsignedOf(int64_t value, unsigned width) {
  return static_cast<uint64_t>(value) & llvm::maskTrailingOnes<uint64_t>(width);
}

bool quantmlir::compareIntegers(int64_t predicate, int64_t a, int64_t b,
                                unsigned width) {
  uint64_t ua = unsignedOf(a, width), ub = unsignedOf(b, width);
  switch (static_cast<arith::CmpIPredicate>(predicate)) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  case arith::CmpIPredicate::sge:
    return a >= b;
  case arith::CmpIPredicate::ult:
    return ua < ub;
  case arith::CmpIPredicate::ule:
    return ua <= ub;
  case arith::CmpIPredicate::ugt:
    return ua > ub;
  case arith::CmpIPredicate::uge:
    return ua >= ub;
  }
  llvm_unreachable("unknown predicate");
}

bool quantmlir::compareFloats(int64_t predicate, double a, double b) {
  return arith::applyCmpPredicate(static_cast<arith::CmpFPredicate>(predicate),
                                  APFloat(a), APFloat(b));
}

int64_t quantmlir::computeInteger(ElementOpcode opcode, int64_t a, int64_t b,
                                  unsigned width) {
  using Code = ElementOpcode;
  auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  uint64_t ux = unsignedOf(a, width), uy = unsignedOf(b, width);
  switch (opcode) {
  case Code::AddI:
    return wrap(x + y, width);
  case Code::SubI:
    return wrap(x - y, width);
  case Code::MulI:
    return wrap(x * y, width);
  case Code::AndI:
    return a & b;
  case Code::OrI:
    return a | b;
  case Code::XOrI:
    return a ^ b;
  // A shift by the width or more is poison, a division by 0 is undefined: any
  // value will do.
  case Code::ShLI:
    return uy < width ? wrap(ux << uy, width) : 0;
  case Code::ShRUI:
    return uy < width ? wrap(ux >> uy, width) : 0;
  case Code::ShRSI:
    return uy < width ? a >> uy : 0;
  case Code::DivUI:
    return uy ? wrap(ux / uy, width) : 0;
  case Code::RemUI:
    return uy ? wrap(ux % uy, width) : 0;
  case Code::DivSI:
    return b && !(b == -1 && a == INT64_MIN) ? wrap(a / b, width) : 0;
  case Code::RemSI:
    return b && b != -1 ? a % b : 0;
  case Code::MaxSI:
    return std::max(a, b);
  case Code::MinSI:
    return std::min(a, b);
  case Code::MaxUI:
    return ux >= uy ? a : b;
  case Code::MinUI:
    return ux <= uy ? a : b;
  default:
    llvm_unreachable("no operation of two integers");
  }
}

double quantmlir::computeFloat(ElementOpcode opcode, double a, double b) {
  using Code = ElementOpcode;
  switch (opcode) {
  case Code::AddF:
    return a + b;
  case Code::SubF:
    return a - b;
  case Code::MulF:
    return a * b;
  case Code::DivF:
    return a / b;
  case Code::NegF:
    return -a;
  case Code::AbsF:
    return std::fabs(a);
  case Code::MaximumF:
    return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b);
  case Code::MinimumF:
    return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b);
  case Code::MaxNumF:
    return std::fmax(a, b);
  case Code::MinNumF:
    return std::fmin(a, b);
  case Code::RoundEven:
    return std::nearbyint(a);
  case Code::Floor:
    return std::floor(a);
  case Code::Ceil:
    return std::ceil(a);
  case Code::ExtF:
  case Code::TruncF:
    return a;
  default:
    llvm_unreachable("no operation of floats");
  }
}

int64_t quantmlir::convertToInteger(double value, unsigned width) {
  double whole = std::trunc(value);
  if (!(std::fabs(whole) < 0x1p63))
    return 0;
  return wrap(static_cast<uint64_t>(static_cast<int64_t>(whole)), width);
}
