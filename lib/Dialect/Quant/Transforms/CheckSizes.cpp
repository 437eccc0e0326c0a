//===- CheckSizes.cpp - sizes that the run alone can compare --------------===//
//
// Loops take each size from one operand. Where another operand has that size by
// the op's definition, but nothing before the run proves it, the program
// compares them once, before the op, and stops with a message that says both.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Transforms/Passes.h"

#include "LoopSizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "llvm/ADT/StringMap.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCHECKSIZESPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

/// `file:line:column: ` where the location says so, as a part of a format.
static std::string printLocation(Location loc) {
  auto file = loc->findInstanceOf<FileLineColLoc>();
  if (!file)
    return "";
  std::string text;
  for (char c : file.getFilename().getValue())
    text += c == '%' ? "%%" : std::string(1, c);
  return text + ":" + std::to_string(file.getLine()) + ":" +
         std::to_string(file.getColumn()) + ": ";
}

namespace {
/// Makes what a program stops with.
class Stops {
public:
  explicit Stops(ModuleOp module) : module(module), symbols(module) {}

  /// Calls it where the two sizes differ.
  LogicalResult emit(OpBuilder &b, Operation *op, StringRef message,
                     Value first, Value second);

private:
  /// int dprintf(int, const char *, ...), of the C library.
  LLVM::LLVMFuncOp getPrint();
  /// Prints a text with two numbers, and stops. (A function, as upstream's
  /// deallocation of buffers wants to know of other ops what they do to
  /// memory.)
  LLVM::LLVMFuncOp getStop();
  LLVM::GlobalOp makeText(StringRef message);

  ModuleOp module;
  SymbolTable symbols;
  LLVM::LLVMFuncOp stop;
  llvm::StringMap<LLVM::GlobalOp> texts;
};
} // namespace

LLVM::LLVMFuncOp Stops::getPrint() {
  constexpr StringLiteral name = "dprintf";
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      b.getI32Type(),
      {b.getI32Type(), LLVM::LLVMPointerType::get(b.getContext())},
      /*isVarArg=*/true);
  if (Operation *found = symbols.lookup(name)) {
    auto function = dyn_cast<LLVM::LLVMFuncOp>(found);
    if (function && function.getFunctionType() == type)
      return function;
    found->emitError("expected no function named `")
        << name << "` but that of the C library, which a program whose sizes "
        << "are compared calls";
    return {};
  }
  auto function = LLVM::LLVMFuncOp::create(b, module.getLoc(), name, type);
  symbols.insert(function);
  return function;
}

LLVM::LLVMFuncOp Stops::getStop() {
  if (stop)
    return stop;
  LLVM::LLVMFuncOp print = getPrint();
  if (!print)
    return {};
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  Location loc = module.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {pointer, i64, i64}, /*isVarArg=*/false);
  stop = LLVM::LLVMFuncOp::create(b, loc, "quant_stop", type,
                                  LLVM::Linkage::Internal);
  symbols.insert(stop);
  b.setInsertionPointToStart(stop.addEntryBlock(b));
  constexpr int64_t standardError = 2;
  SmallVector<Value> arguments{LLVM::ConstantOp::create(
      b, loc, b.getI32Type(), b.getI32IntegerAttr(standardError))};
  llvm::append_range(arguments, stop.getArguments());
  LLVM::CallOp::create(b, loc, print, arguments);
  LLVM::Trap::create(b, loc);
  LLVM::UnreachableOp::create(b, loc);
  return stop;
}

LLVM::GlobalOp Stops::makeText(StringRef message) {
  LLVM::GlobalOp &text = texts[message];
  if (text)
    return text;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  std::string bytes = message.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  text = LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/true,
                                LLVM::Linkage::Internal, "quant_sizes",
                                b.getStringAttr(bytes));
  symbols.insert(text);
  return text;
}

LogicalResult Stops::emit(OpBuilder &b, Operation *op, StringRef message,
                          Value first, Value second) {
  LLVM::LLVMFuncOp function = getStop();
  if (!function)
    return failure();
  LLVM::GlobalOp text = makeText(message);
  Location loc = op->getLoc();
  Value differ =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, first, second);
  scf::IfOp::create(b, loc, differ, [&](OpBuilder &b, Location loc) {
    SmallVector<Value> arguments{LLVM::AddressOfOp::create(b, loc, text)};
    for (Value size : {first, second})
      arguments.push_back(
          arith::IndexCastOp::create(b, loc, b.getI64Type(), size));
    LLVM::CallOp::create(b, loc, function, arguments);
    scf::YieldOp::create(b, loc);
  });
  return success();
}

namespace {
struct QuantCheckSizesPass final
    : quantmlir::impl::QuantCheckSizesPassBase<QuantCheckSizesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      // Not those of a module within.
      if (op->getParentOfType<func::FuncOp>() &&
          op->getParentOfType<ModuleOp>() == getOperation())
        ops.push_back(op);
    });
    Stops stops(getOperation());
    for (Operation *op : ops)
      if (failed(check(op, stops)))
        return signalPassFailure();
  }

private:
  /// Compares the sizes of one loop with the first, or with one that is known.
  LogicalResult check(Operation *op, Stops &stops) {
    LoopSizes loops;
    addSizes(op, loops);
    for (auto &[loop, sizes] : loops.sizes) {
      const auto *known = llvm::find_if(sizes, [](const NamedSize &named) {
        return named.size.getNumber().has_value();
      });
      const NamedSize &reference =
          known == sizes.end() ? sizes.front() : *known;
      SmallVector<RuntimeSize> compared{reference.size};
      for (const NamedSize &named : sizes) {
        if (llvm::is_contained(compared, named.size))
          continue;
        compared.push_back(named.size);
        if (failed(compare(op, stops, named, reference)))
          return failure();
      }
    }
    return success();
  }

  LogicalResult compare(Operation *op, Stops &stops, const NamedSize &first,
                        const NamedSize &second) {
    OpBuilder b(op);
    // Once, where the function begins, if its arguments say all.
    Block *block = op->getBlock();
    if (isa<func::FuncOp>(block->getParentOp()) && block->isEntryBlock() &&
        first.size.isOfArguments(block) && second.size.isOfArguments(block))
      b.setInsertionPointToStart(block);
    std::string message = printLocation(op->getLoc()) + "'" +
                          op->getName().getStringRef().str() +
                          "' op expected equal sizes, but " + first.name +
                          " is %ld and " + second.name + " is %ld\n";
    ++numChecks;
    Value one = first.size.emit(b, op->getLoc());
    Value other = second.size.emit(b, op->getLoc());
    return stops.emit(b, op, message, one, other);
  }
};
} // namespace
