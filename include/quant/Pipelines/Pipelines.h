//===- Pipelines.h - named pass pipelines -----------------------*- C++ -*-===//
//
// Pipelines compose passes and nothing else. Each stage can be stopped at and
// gone on from, and ends with `quant-verify-stage`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_PIPELINES_PIPELINES_H
#define QUANT_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Import/ProductAccount.h"
#include "quant/Quantize/MatmulOutcome.h"
#include "quant/Shard/Passes.h"

#include "llvm/ADT/StringExtras.h"

#include <string>

namespace quantmlir {

/// The stages of a pipeline that are run: those after one, up to another.
struct StageRange {
  Stage after = Stage::Import, last = Stage::LLVM;

  bool contains(Stage stage) const { return after < stage && stage <= last; }
};

/// What the pipelines of all targets let a user say.
template <typename Derived>
struct CommonPipelineOptions : public mlir::PassPipelineOptions<Derived> {
  using Base = mlir::PassPipelineOptions<Derived>;
  typename Base::template Option<std::string> quantize{
      *this, "quantize",
      llvm::cl::desc("Options of quant-quantize-matmul; `none` leaves float "
                     "matmuls as they are"),
      llvm::cl::init("none")};
  typename Base::template Option<bool> strict{
      *this, "strict",
      llvm::cl::desc("Fail where a product or a weight is not as the program "
                     "or the scheme has it, instead of a remark"),
      llvm::cl::init(false)};
  typename Base::template Option<bool> account{
      *this, "account",
      llvm::cl::desc("Say what became of every product (default true)"),
      llvm::cl::init(true)};
  typename Base::template Option<bool> profile{
      *this, "profile",
      llvm::cl::desc("Time each op (quant-profile-ops); not for GPUs"),
      llvm::cl::init(false)};
  typename Base::template Option<Stage> startAfter{
      *this, "start-after",
      llvm::cl::desc("Stage that the program has been brought to (default "
                     "import: as it was exported)"),
      llvm::cl::init(Stage::Import),
      llvm::cl::values(
          clEnumValN(Stage::Import, "import", "as exported"),
          clEnumValN(Stage::Quant, "quant", "integers on tensors"),
          clEnumValN(Stage::Packed, "packed", "tiled and packed"),
          clEnumValN(Stage::Target, "target", "instructions on memory"))};
  typename Base::template Option<Stage> stopAfter{
      *this, "stop-after", llvm::cl::desc("Last stage that is run"),
      llvm::cl::init(Stage::LLVM),
      llvm::cl::values(
          clEnumValN(Stage::Quant, "quant", "integers on tensors"),
          clEnumValN(Stage::Packed, "packed", "tiled and packed"),
          clEnumValN(Stage::Target, "target", "instructions on memory"),
          clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect"))};

  StageRange getStages() const { return {startAfter, stopAfter}; }

  /// Their names, for whoever misspelt one.
  std::string listNames() const {
    llvm::SmallVector<llvm::StringRef> names;
    for (const auto &entry : this->OptionsMap)
      names.push_back(entry.first);
    llvm::sort(names);
    return llvm::join(names, ", ");
  }
};

/// Options of `quant-to-generic`.
struct GenericPipelineOptions
    : public CommonPipelineOptions<GenericPipelineOptions> {};

/// What the pipelines of CPUs let a user say.
template <typename Derived>
struct CPUPipelineOptions : public CommonPipelineOptions<Derived> {
  using Base = mlir::PassPipelineOptions<Derived>;
  typename Base::template Option<std::string> cpu{
      *this, "cpu", llvm::cl::desc("LLVM's name of the CPU, or host"),
      llvm::cl::init("host")};
  typename Base::template ListOption<std::string> features{
      *this, "features",
      llvm::cl::desc("LLVM features to add (+x) or remove (-x)")};
  typename Base::template Option<int64_t> threads{
      *this, "threads",
      llvm::cl::desc("Threads that large matmuls are divided over (OpenMP)"),
      llvm::cl::init(1)};
  typename Base::template Option<std::string> schedules{
      *this, "schedules",
      llvm::cl::desc("File of measured schedules (quant-run --tune)")};
};

/// Options of `quant-to-x86` and of `quant-to-arm`.
struct X86PipelineOptions : public CPUPipelineOptions<X86PipelineOptions> {};
struct ArmPipelineOptions : public CPUPipelineOptions<ArmPipelineOptions> {};

/// Options of `quant-to-nvvm`.
struct NVVMPipelineOptions : public CommonPipelineOptions<NVVMPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("sm_61, sm_75, ..."),
                           llvm::cl::init("sm_80")};
  Option<std::string> format{
      *this, "format",
      llvm::cl::desc("Kernels as NVVM IR (llvm), PTX text (isa) or machine "
                     "code by ptxas (bin)"),
      llvm::cl::init("isa")};
};

/// Fails with `message`: building a pipeline from bad options cannot.
std::unique_ptr<mlir::Pass> createRejectOptionsPass(std::string message);

/// Proves that the program has the form of the stage that `stages` begin after,
/// if that is not Import.
void beginStages(mlir::OpPassManager &pm, StageRange stages);
/// Ends `stage`, whose contract is proven.
void endStage(mlir::OpPassManager &pm, Stage stage);

/// What a program says of constants and loops is made plain before anything is
/// recognised or canonicalized: one function, no globals that nothing changes.
void buildProgramForms(mlir::OpPassManager &pm);

/// Brings products that are no contractions of linalg into that form: TOSA
/// programs, and convolutions, those of floats if they will be quantized.
/// Names and statistics of matmuls are of the program after this.
void buildMatmulForms(mlir::OpPassManager &pm, bool floats,
                      bool remarks = true);

/// What the quant stage did, for the driver that runs it.
struct QuantStageResults {
  /// What became of the float matmuls that were to be quantized.
  std::vector<MatmulOutcome> matmuls;
  /// What all products are at the end.
  ProductAccount products;

  /// The outcome of the matmul that was called so, or null.
  const MatmulOutcome *find(llvm::StringRef name) const;
};

/// What there is to say about the quant stage.
struct QuantStageOptions {
  /// How float matmuls are quantized, if they are.
  std::optional<QuantizeRequest> quantize;
  /// Whether what became of every product is said, and is an error where it is
  /// not as asked.
  bool account = true, strict = false;
  /// Where its results go when it has run; null: nobody wants them.
  QuantStageResults *results = nullptr;
};

/// Import + Quant stage: `buildMatmulForms`, then QDQ forms are imported, then,
/// float matmuls are quantized, if that is asked for.
/// Ends with constants folded, with additions in the rescales before them, and
/// with an account of all products; the pipelines verify the stage.
void buildQuantStage(mlir::OpPassManager &pm, const QuantStageOptions &options);

/// The same with the text of a request, or `none`; a text that cannot be read
/// makes the pipeline fail.
void buildQuantStage(mlir::OpPassManager &pm, llvm::StringRef quantize,
                     QuantStageOptions options);

/// The same of a pipeline's options.
template <typename Derived>
void buildQuantStage(mlir::OpPassManager &pm,
                     const CommonPipelineOptions<Derived> &options) {
  QuantStageOptions stage;
  stage.account = options.account;
  stage.strict = options.strict;
  buildQuantStage(pm, options.quantize, stage);
}

/// How a program is cut over ranks, and which rank's it becomes.
struct ShardStageOptions {
  int64_t ranks = 1, rank = 0;
  Parallelism parallel = Parallelism::Auto;
  /// The MPI library, as upstream's lowering calls it.
  std::string library = "OpenMPI";
  /// Whether the program says itself how it is cut.
  bool annotated = false;
  /// What the rank holds and sends; null: nobody wants to know.
  ShardFacts *facts = nullptr;
};

/// From a program at the quant stage, whose sizes are static, to the part of it
/// that one rank runs, at the same stage, with calls of MPI.
void buildShardStage(mlir::OpPassManager &pm, const ShardStageOptions &options);

/// From tensors of standard dialects (linalg, tensor, arith, math) and
/// bufferized `qtarget.packed_matmul` down to the LLVM dialect, in two parts so
/// that a target can expand its own ops on memrefs in between; `withTiles` for
/// programs that may hold AMX tiles. `outline`: equal layers become one
/// function, whose weights are arguments; not for a target that asks whether a
/// buffer is a constant, as the host of a GPU does. `fuse`: attention in tiles of
/// rows, for targets that turn `scf.forall` into loops.
void buildBufferizeStage(mlir::OpPassManager &pm, bool outline = true,
                         bool fuse = false);
void buildLLVMStage(mlir::OpPassManager &pm, bool withTiles = false);

/// Portable path: reference lowering, loops, LLVM.
void buildGenericPipeline(mlir::OpPassManager &pm,
                          const GenericPipelineOptions &options);

/// x86 path: packed tiles, integer dot-product instructions, LLVM.
void buildX86Pipeline(mlir::OpPassManager &pm,
                      const X86PipelineOptions &options);

/// AArch64 path: the same with its kernels.
void buildArmPipeline(mlir::OpPassManager &pm,
                      const ArmPipelineOptions &options);

/// NVIDIA path: kernels for the chip's integer instructions, launched by a host
/// program that runs what is not a matmul.
void buildNVVMPipeline(mlir::OpPassManager &pm,
                       const NVVMPipelineOptions &options);

/// Registers `quant-to-generic`, `quant-to-x86`, `quant-to-arm` and
/// `quant-to-nvvm`.
void registerPipelines();

} // namespace quantmlir

#endif // QUANT_PIPELINES_PIPELINES_H
