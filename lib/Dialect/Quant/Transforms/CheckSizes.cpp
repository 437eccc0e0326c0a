//===- CheckSizes.cpp - sizes that the run alone can compare --------------===//
//
// Loops take each size from one operand. Where another operand has that size by
// the op's definition, but nothing before the run proves it, the program
// compares them once, before the op, and stops with a message that says both.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Transforms/Passes.h"

#include "RuntimeSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCHECKSIZESPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// What has to be equal
//===----------------------------------------------------------------------===//

namespace {
/// A size and what it is to the reader.
struct NamedSize {
  RuntimeSize size;
  std::string name;
};

/// Sizes by the loop that runs over them.
class Loops {
public:
  /// Dimension `dim` of `value` (if there is one) is walked by `loop`.
  void add(int64_t loop, Value value, int64_t dim, const Twine &name) {
    if (value)
      sizes[loop].push_back(
          {RuntimeSize::of(value, dim),
           ("dimension " + Twine(dim) + " of " + name).str()});
  }
  /// The dimensions of `value` (if there is one) are walked by `loops`; one of
  /// rank 0 by none.
  void add(ArrayRef<int64_t> loops, Value value, const Twine &name) {
    if (!value || cast<RankedTensorType>(value.getType()).getRank() !=
                      static_cast<int64_t>(loops.size()))
      return;
    for (auto [dim, loop] : llvm::enumerate(loops))
      add(loop, value, dim, name);
  }
  /// The same for a result, whose dynamic sizes are those of the operands.
  void addResult(ArrayRef<int64_t> loops, Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    for (auto [dim, loop] : llvm::enumerate(loops))
      if (!type.isDynamicDim(dim))
        add(loop, value, dim, "the result");
  }
  void add(int64_t loop, RuntimeSize size, const Twine &name) {
    sizes[loop].push_back({std::move(size), name.str()});
  }

  llvm::MapVector<int64_t, SmallVector<NamedSize>> sizes;
};
} // namespace

static SmallVector<int64_t> upTo(int64_t end) {
  return llvm::to_vector(llvm::seq<int64_t>(end));
}

static SmallVector<int64_t> append(SmallVector<int64_t> loops, int64_t last) {
  loops.push_back(last);
  return loops;
}

/// ceil(size / divisor).
static RuntimeSize divideUp(OpBuilder &builder, Location loc,
                            const RuntimeSize &size, int64_t divisor) {
  if (std::optional<int64_t> number = size.getNumber())
    return RuntimeSize::of(llvm::divideCeil(static_cast<uint64_t>(*number),
                                            static_cast<uint64_t>(divisor)));
  Value by = arith::ConstantIndexOp::create(builder, loc, divisor);
  return RuntimeSize::of(Value(
      arith::CeilDivUIOp::create(builder, loc, size.emit(builder, loc), by)));
}

static void addLoops(MatmulOp op, Loops &loops) {
  SmallVector<int64_t> batch = upTo(op.getNumBatchDims());
  int64_t m = batch.size(), n = m + 1, k = m + 2;
  loops.add(append(append(batch, m), k), op.getLhs(), "lhs");
  SmallVector<int64_t> columns =
      op.hasBatchedRhs() ? batch : SmallVector<int64_t>();
  bool transposed = op.getTransposeRhs();
  loops.add(append(append(columns, transposed ? n : k), transposed ? k : n),
            op.getRhs(), "rhs");
  loops.add(append(batch, m), op.getLhsZeroPoint(), "lhs_zero_point");
  loops.add(append(columns, n), op.getRhsZeroPoint(), "rhs_zero_point");
  loops.add(append(append(batch, m), n), op.getInit(), "init");
}

static void addLoops(ScaledMatmulOp op, Loops &loops) {
  int64_t m = op.getNumBatchDims(), n = m + 1, k = m + 2, group = m + 3;
  int64_t block = m + 4;
  SmallVector<int64_t> rows = upTo(m + 1);
  loops.add(append(rows, k), op.getLhs(), "lhs");
  loops.add({n, k}, op.getRhs(), "rhs");
  loops.add(rows, op.getLhsZeroPoint(), "lhs_zero_point");
  loops.add(rows, op.getRowScale(), "row_scale");
  loops.add({n, group}, op.getRhsScale(), "rhs_scale");
  loops.add({n, group}, op.getRhsZeroPoint(), "rhs_zero_point");
  loops.add({n, group}, op.getRhsOffset(), "rhs_offset");
  loops.add({n}, op.getBias(), "bias");
  loops.add(append(rows, block), op.getLhsScale(), "lhs_scale");
  loops.addResult(append(rows, n), op.getResult());
  OpBuilder builder(op);
  if (op.getRhs().getType().isDynamicDim(1) ||
      op.getRhsScale().getType().isDynamicDim(1))
    loops.add(group,
              divideUp(builder, op.getLoc(), RuntimeSize::of(op.getRhs(), 1),
                       op.getGroupSize()),
              "the groups of rhs");
  if (Value scale = op.getLhsScale();
      scale && (op.getLhs().getType().isDynamicDim(m + 1) ||
                cast<RankedTensorType>(scale.getType()).isDynamicDim(m + 1)))
    loops.add(block,
              divideUp(builder, op.getLoc(),
                       RuntimeSize::of(op.getLhs(), m + 1),
                       *op.getLhsGroupSize()),
              "the blocks of lhs");
}

template <typename OpTy>
static void addRescaleLoops(OpTy op, Loops &loops) {
  int64_t rank = op.getAcc().getType().getRank();
  loops.add(upTo(rank), op.getAcc(), "acc");
  loops.add({rank - 1}, op.getBias(), "bias");
  loops.addResult(upTo(rank), op.getResult());
}

static void addLoops(RescaleOp op, Loops &loops) {
  addRescaleLoops(op, loops);
  int64_t rank = op.getAcc().getType().getRank();
  loops.add(upTo(rank - 1), op.getRowScale(), "row_scale");
  loops.add({rank - 1}, op.getChannelScale(), "channel_scale");
  loops.add(upTo(rank), op.getResidual(), "residual");
}

static void addLoops(RescaleFixedPointOp op, Loops &loops) {
  addRescaleLoops(op, loops);
  int64_t last = op.getAcc().getType().getRank() - 1;
  loops.add({last}, op.getMultiplier(), "multiplier");
  loops.add({last}, op.getShift(), "shift");
}

/// quantize and dequantize.
template <typename OpTy>
static void addParameterLoops(OpTy op, Loops &loops) {
  SmallVector<int64_t> all = upTo(op.getInput().getType().getRank());
  loops.add(all, op.getInput(), "input");
  loops.add(op.getAxes(), op.getScale(), "scale");
  loops.add(op.getAxes(), op.getZeroPoint(), "zero_point");
  loops.addResult(all, op.getResult());
}

static void addLoops(ChooseQParamsOp op, Loops &loops) {
  loops.add(upTo(op.getInput().getType().getRank()), op.getInput(), "input");
  for (Value result : op->getResults())
    loops.addResult(op.getAxes(), result);
}

static void addLoops(RotateOp op, Loops &loops) {
  SmallVector<int64_t> all = upTo(op.getInput().getType().getRank());
  loops.add(all, op.getInput(), "input");
  loops.addResult(all, op.getResult());
}

static void addLoops(RotateRowsOp op, Loops &loops) {
  SmallVector<int64_t> all =
      upTo(cast<RankedTensorType>(op.getInput().getType()).getRank());
  loops.add(all, op.getInput(), "input");
  loops.add(all, op.getRotated(), "rotated");
}

/// Of rows of `k` elements, parts of `part` each.
static RuntimeSize countParts(int64_t k, int64_t part) {
  return RuntimeSize::of(llvm::divideCeilSigned(k, part));
}

static void addLoops(QuantizeRowsOp op, Loops &loops) {
  enum : int64_t { m, k, tile, one, kr };
  loops.add({m, k}, op.getInput(), "input");
  loops.add({m}, op.getScale(), "scale");
  if (op.isPlain())
    return loops.add({m, k}, op.getPacked(), "packed");
  auto packed = cast<RankedTensorType>(op.getPacked().getType());
  auto input = cast<RankedTensorType>(op.getInput().getType());
  loops.add({m, tile, one, kr}, op.getPacked(), "packed");
  loops.add(tile, countParts(input.getDimSize(1), packed.getDimSize(3)),
            "the tiles of input");
  loops.add(one, RuntimeSize::of(1), "the rows of a tile");
}

static void addLoops(QuantizeBlocksOp op, Loops &loops) {
  enum : int64_t { m, k, block };
  loops.add({m, k}, op.getInput(), "input");
  loops.add({m, k}, op.getInts(), "ints");
  loops.add({m, block}, op.getScale(), "scale");
  loops.add({m, block}, op.getSums(), "sums");
  loops.add(block, countParts(op.getK(), op.getBlock()), "the blocks of input");
}

static void addLoops(CachedAttentionOp op, Loops &loops) {
  enum : int64_t { h, g, s, d, p, w };
  loops.add({h, g, s, d}, op.getQuery(), "query");
  loops.add({h, g, s}, op.getQueryScale(), "query_scale");
  for (const auto &[tokens, t, name] : {std::tuple(op.getPast(), p, "past_"),
                                        std::tuple(op.getNew(), s, "new_")}) {
    loops.add({h, w, t}, tokens.keys, Twine(name) + "keys");
    loops.add({h, t}, tokens.keyScale, Twine(name) + "key_scale");
    loops.add({h, t, w}, tokens.values, Twine(name) + "values");
    loops.add({h, t}, tokens.valueScale, Twine(name) + "value_scale");
  }
  loops.add(w, RuntimeSize::of(op.getNumWords()), "the words of a head");
  loops.add({s, h, g, d}, op.getInit(), "init");
}

static void addLoops(FloatAttentionOp op, Loops &loops) {
  enum : int64_t { h, g, s, d, p };
  loops.add({h, g, s, d}, op.getQuery(), "query");
  for (const auto &[tokens, t, name] : {std::tuple(op.getPast(), p, "past_"),
                                        std::tuple(op.getNew(), s, "new_")}) {
    loops.add({h, d, t}, tokens.keys, Twine(name) + "keys");
    loops.add({h, t, d}, tokens.values, Twine(name) + "values");
  }
  loops.add({s, h, g, d}, op.getInit(), "init");
}

/// The last dimension of one side is a half, or quarter, of the other's.
static void addNarrowLoops(Operation *op, Value unpacked, Value packed,
                           int64_t perByte, Loops &loops) {
  Value input = op->getOperand(0), result = op->getResult(0);
  int64_t last = cast<RankedTensorType>(input.getType()).getRank() - 1;
  loops.add(upTo(last), input, "input");
  auto resultType = cast<RankedTensorType>(result.getType());
  for (int64_t dim = 0; dim < last; ++dim)
    if (!resultType.isDynamicDim(dim))
      loops.add(dim, result, dim, "the result");
  // What a dynamic result has is what the input says.
  if (resultType.isDynamicDim(last) ||
      !cast<RankedTensorType>(input.getType()).isDynamicDim(last))
    return;
  OpBuilder builder(op);
  loops.add(last, packed, last, packed == input ? "input" : "the result");
  loops.add(
      last,
      divideUp(builder, op->getLoc(), RuntimeSize::of(unpacked, last), perByte),
      perByte == 2 ? "the bytes of two elements each"
                   : "the bytes of four elements each");
}

static void addLoops(linalg::LinalgOp op, Loops &loops) {
  if (!op.hasPureTensorSemantics())
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        loops.add(loop.getPosition(), operand.get(), dim,
                  "operand " + Twine(operand.getOperandNumber()));
  }
}

/// A cast to more static sizes claims what its source has.
static void addLoops(tensor::CastOp op, Loops &loops) {
  auto source = dyn_cast<RankedTensorType>(op.getSource().getType());
  auto result = dyn_cast<RankedTensorType>(op.getType());
  if (!source || !result)
    return;
  for (int64_t dim = 0, e = source.getRank(); dim < e; ++dim) {
    if (!source.isDynamicDim(dim) || result.isDynamicDim(dim))
      continue;
    loops.add(dim, op.getSource(), dim, "the source");
    loops.add(dim, RuntimeSize::of(result.getDimSize(dim)), "the result");
  }
}

/// A dimension is split without a rest.
static void addLoops(tensor::ExpandShapeOp op, Loops &loops) {
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    RuntimeSize product = RuntimeSize::of(1);
    for (int64_t part : group)
      product = product * RuntimeSize::of(op.getResult(), part);
    loops.add(dim, op.getSrc(), dim, "the source");
    loops.add(dim, product, "its parts");
  }
}

static void addLoops(Operation *op, Loops &loops) {
  // Some stand on buffers as well.
  if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>))
    return;
  llvm::TypeSwitch<Operation *>(op)
      .Case<MatmulOp, ScaledMatmulOp, RescaleOp, RescaleFixedPointOp,
            ChooseQParamsOp, RotateOp, RotateRowsOp, QuantizeRowsOp,
            QuantizeBlocksOp, CachedAttentionOp, FloatAttentionOp,
            tensor::CastOp, tensor::ExpandShapeOp, linalg::LinalgOp>(
          [&](auto op) { addLoops(op, loops); })
      .Case<QuantizeOp, DequantizeOp>(
          [&](auto op) { addParameterLoops(op, loops); })
      .Case<PackInt4Op, PackInt2Op>([&](auto op) {
        addNarrowLoops(op, op.getInput(), op.getResult(), op.kPerByte, loops);
      })
      .Case<UnpackInt4Op, UnpackInt2Op>([&](auto op) {
        addNarrowLoops(op, op.getResult(), op.getInput(), op.kPerByte, loops);
      });
}

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
  if (Operation *found = symbols.lookup(name)) {
    auto function = dyn_cast<LLVM::LLVMFuncOp>(found);
    if (function && function.isVarArg())
      return function;
    found->emitError("expected no function named `")
        << name << "` but that of the C library, which a program whose sizes "
        << "are compared calls";
    return {};
  }
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      b.getI32Type(),
      {b.getI32Type(), LLVM::LLVMPointerType::get(b.getContext())},
      /*isVarArg=*/true);
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
    Loops loops;
    addLoops(op, loops);
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
