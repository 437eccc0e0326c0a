//===- ModelCode.cpp - from the LLVM dialect to an object file ------------===//
//
// The program is translated to LLVM IR, the functions of Support/Support.c are
// linked to it, what the model says of itself becomes a constant, and all but
// one symbol becomes local. So an object can be linked with any other, whatever
// its functions were called.
//
//===----------------------------------------------------------------------===//

#include "quant/Artifact/ModelCode.h"

#include "quant/CAPI/Artifact.h"
#include "quant/Conversion/ExternalConstants.h"
#include "quant/Runtime/Execution/JitRunner.h"
#include "quant/Support/Version.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Target/LLVMIR/ModuleTranslation.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsAArch64.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Pass.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace mlir;
using namespace quantmlir;

/// Support.c as bitcode.
static constexpr unsigned char kSupport[] = {
#include "Support.inc"
};

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// Makes what the program defines its own: a function of it may be called as
/// one of the C library or of Support.c is, which then is another.
static void renameDefinitions(llvm::Module &module) {
  std::string entry = "_mlir_ciface_" + kProgramName.str();
  for (llvm::GlobalValue &value : module.global_values()) {
    if (value.isDeclaration() || value.hasAppendingLinkage() ||
        value.getName() == entry)
      continue;
    value.setName("program." + value.getName());
    if (!value.hasLocalLinkage())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
}

/// Functions that the program names itself: none is OpenMP's, which loops over
/// threads call when they are translated.
static llvm::Error checkFunctions(ModuleOp program) {
  for (auto function : program.getOps<LLVM::LLVMFuncOp>())
    if (function.getSymName().starts_with("__kmpc_"))
      return llvm::createStringError("expected a program without OpenMP, found "
                                     "its function '" +
                                     function.getSymName() + "'");
  return llvm::Error::success();
}

/// Nothing that the program calls but does not define is Support.c's, except
/// for what programs are lowered to.
static llvm::Error checkCalls(const llvm::Module &module,
                              const llvm::Module &support) {
  for (const llvm::Function &function : module.functions())
    if (function.isDeclaration() && function.getName().starts_with("quant") &&
        support.getFunction(function.getName()))
      return llvm::createStringError(
          "expected a function of another library, found a call of '" +
          function.getName() + "', which every model has for itself");
  return llvm::Error::success();
}

/// Team.h answers what loops over threads call of OpenMP's library.
static llvm::Error checkThreads(const llvm::Module &module) {
  for (const llvm::Function &function : module.functions())
    if (function.isDeclaration() &&
        (function.getName().starts_with("__kmpc_") ||
         function.getName().starts_with("omp_")))
      return llvm::createStringError("expected no other call of OpenMP's "
                                     "library than models answer, found '" +
                                     function.getName() + "'");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// What the program calls
//===----------------------------------------------------------------------===//

/// Where `said` of Support.c's Call ends.
static constexpr uint64_t kSaidSize = 512;

/// Makes traps calls of quantStop().
static void redirectTraps(llvm::Module &module) {
  llvm::Function *trap = module.getFunction("llvm.trap");
  if (!trap)
    return;
  auto stop = module.getOrInsertFunction(
      "quantStop", llvm::Type::getVoidTy(module.getContext()));
  for (llvm::User *user : llvm::make_early_inc_range(trap->users()))
    if (auto *call = dyn_cast<llvm::CallInst>(user)) {
      llvm::IRBuilder<>(call).CreateCall(stop);
      call->eraseFromParent();
    }
}

/// Loops over threads call OpenMP's library: Team.h answers. Of a fork's
/// variable arguments there is one, the values that its task captures.
static void redirectThreads(llvm::Module &module) {
  llvm::Function *fork = module.getFunction("__kmpc_fork_call");
  if (!fork)
    return;
  auto *pointer = llvm::PointerType::getUnqual(module.getContext());
  auto *nothing = llvm::Type::getVoidTy(module.getContext());
  auto quantFork =
      module.getOrInsertFunction("quantFork", nothing, pointer, pointer);
  for (llvm::User *user : llvm::make_early_inc_range(fork->users())) {
    auto *call = cast<llvm::CallInst>(user);
    constexpr unsigned task = 2, captured = 3;
    llvm::Value *argument = call->arg_size() > captured
                                ? call->getArgOperand(captured)
                                : llvm::ConstantPointerNull::get(pointer);
    llvm::IRBuilder<>(call).CreateCall(quantFork,
                                       {call->getArgOperand(task), argument});
    call->eraseFromParent();
  }
  fork->eraseFromParent();
}

/// Programs print why they stop, and abort: both go to the caller instead.
/// Their memory is kept for the next call, their threads are the model's.
/// dprintf(2, format, ...) becomes snprintf(quantGetSaid(), n, format, ...).
static void redirectCalls(llvm::Module &module) {
  auto redirect = [&](StringRef from, StringRef to) {
    if (llvm::Function *function = module.getFunction(from))
      if (function->isDeclaration())
        function->setName(to);
  };
  redirect("malloc", "quantAllocate");
  redirect("free", "quantFree");
  redirect("abort", "quantStop");
  redirect("puts", "quantSay");
  redirect("__kmpc_push_num_threads", "quantPushThreads");
  redirect("__kmpc_global_thread_num", "quantGetThread");
  redirect("__kmpc_for_static_init_8u", "quantDivide");
  redirect("__kmpc_for_static_fini", "quantDivided");
  redirect("__kmpc_barrier", "quantBarrier");
  redirectThreads(module);
  redirectTraps(module);
  llvm::Function *print = module.getFunction("dprintf");
  if (!print || !print->isDeclaration())
    return;
  llvm::IRBuilder<> builder(module.getContext());
  auto pointer = builder.getPtrTy();
  auto said = module.getOrInsertFunction("quantGetSaid", pointer);
  auto format = module.getOrInsertFunction(
      "snprintf",
      llvm::FunctionType::get(builder.getInt32Ty(),
                              {pointer, builder.getInt64Ty(), pointer}, true));
  for (llvm::User *user : llvm::make_early_inc_range(print->users())) {
    auto *call = dyn_cast<llvm::CallInst>(user);
    if (!call || call->getCalledFunction() != print)
      continue;
    builder.SetInsertPoint(call);
    SmallVector<llvm::Value *> arguments = {builder.CreateCall(said),
                                            builder.getInt64(kSaidSize)};
    arguments.append(call->arg_begin() + 1, call->arg_end());
    call->replaceAllUsesWith(builder.CreateCall(format, arguments));
    call->eraseFromParent();
  }
}

/// Defines quantPause() of Team.h: a processor is told that a loop waits.
static void addPause(llvm::Module &module) {
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()),
                              false),
      llvm::GlobalValue::ExternalLinkage, "quantPause", module);
  llvm::IRBuilder<> builder(
      llvm::BasicBlock::Create(module.getContext(), "", function));
  switch (module.getTargetTriple().getArch()) {
  case llvm::Triple::x86_64:
    builder.CreateIntrinsic(llvm::Intrinsic::x86_sse2_pause, {});
    break;
  case llvm::Triple::aarch64:
    builder.CreateIntrinsic(llvm::Intrinsic::aarch64_hint,
                            {builder.getInt32(1)}); // yield
    break;
  default:
    break;
  }
  builder.CreateRetVoid();
}

/// Threads of a program without loops over threads do not exist, so that it
/// needs nothing that they call.
static void dropTeams(llvm::Module &module) {
  llvm::Function *forget = module.getFunction("quantForgetTeams");
  forget->deleteBody();
  forget->setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::IRBuilder<>(llvm::BasicBlock::Create(module.getContext(), "", forget))
      .CreateRetVoid();
}

/// Defines quantCallProgram(results, inputs) of Support.c.
static void addTrampoline(llvm::Module &module, const Signature &signature) {
  llvm::IRBuilder<> builder(module.getContext());
  auto pointer = builder.getPtrTy();
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(builder.getVoidTy(), {pointer, pointer}, false),
      llvm::GlobalValue::ExternalLinkage, "quantCallProgram", module);
  // In its caller, which is optimized for size and calls setjmp, kernels would
  // keep their sums on the stack.
  function->addFnAttr(llvm::Attribute::NoInline);
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "", function));
  SmallVector<llvm::Value *> arguments;
  if (!signature.results.empty())
    arguments.push_back(function->getArg(0));
  for (size_t i = 0; i < signature.arguments.size(); ++i)
    arguments.push_back(builder.CreateLoad(
        pointer,
        builder.CreateConstInBoundsGEP1_64(pointer, function->getArg(1), i)));
  SmallVector<llvm::Type *> types(arguments.size(), pointer);
  auto program = module.getOrInsertFunction(
      "_mlir_ciface_" + kProgramName.str(),
      llvm::FunctionType::get(builder.getVoidTy(), types, false));
  builder.CreateCall(program, arguments);
  builder.CreateRetVoid();
}

//===----------------------------------------------------------------------===//
// What the model says of itself
//===----------------------------------------------------------------------===//

namespace {

/// Builds the constant `quantArtifact`, field by field as the struct has them.
class FactsBuilder {
public:
  explicit FactsBuilder(llvm::Module &module)
      : module(module), builder(module.getContext()) {}

  void addInt32(uint32_t value) { fields.push_back(builder.getInt32(value)); }
  void addInt64(uint64_t value) { fields.push_back(builder.getInt64(value)); }
  void addText(StringRef text) {
    fields.push_back(addConstant(
        llvm::ConstantDataArray::getString(module.getContext(), text)));
  }
  void addBytes(ArrayRef<uint8_t> bytes) {
    fields.push_back(llvm::ConstantDataArray::get(module.getContext(), bytes));
  }
  void addFunction(StringRef name) {
    fields.push_back(module.getFunction(name));
  }
  void addTypes(ArrayRef<HostTensorType> types);
  void finish();

private:
  llvm::Constant *addConstant(llvm::Constant *value) {
    return new llvm::GlobalVariable(module, value->getType(), true,
                                    llvm::GlobalValue::PrivateLinkage, value);
  }

  llvm::Module &module;
  llvm::IRBuilder<> builder;
  SmallVector<llvm::Constant *> fields;
};

} // namespace

static_assert(static_cast<int>(HostType::I1) == QUANT_I1 &&
                  static_cast<int>(HostType::F64) == QUANT_F64 &&
                  static_cast<int>(HostType::BF16) == QUANT_BF16,
              "the ABI's element types are the host tensors'");

void FactsBuilder::addTypes(ArrayRef<HostTensorType> types) {
  SmallVector<llvm::Constant *> values;
  for (const HostTensorType &type : types) {
    SmallVector<int64_t> shape;
    for (int64_t size : type.shape)
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    llvm::Constant *sizes = llvm::ConstantPointerNull::get(builder.getPtrTy());
    if (!shape.empty())
      sizes = addConstant(llvm::ConstantDataArray::get(
          module.getContext(),
          ArrayRef(reinterpret_cast<uint64_t *>(shape.data()), shape.size())));
    values.push_back(llvm::ConstantStruct::getAnon(
        {builder.getInt32(static_cast<uint32_t>(type.element)),
         builder.getInt32(type.shape.size()), sizes}));
  }
  if (values.empty()) {
    fields.push_back(llvm::ConstantPointerNull::get(builder.getPtrTy()));
    return;
  }
  auto *array = llvm::ArrayType::get(values[0]->getType(), values.size());
  fields.push_back(addConstant(llvm::ConstantArray::get(array, values)));
}

void FactsBuilder::finish() {
  llvm::Constant *value =
      llvm::ConstantStruct::getAnon(module.getContext(), fields);
  auto *declared = module.getNamedGlobal("quantArtifact");
  auto *defined =
      new llvm::GlobalVariable(module, value->getType(), true,
                               llvm::GlobalValue::InternalLinkage, value);
  declared->replaceAllUsesWith(defined);
  defined->takeName(declared);
  declared->eraseFromParent();
}

static void addFacts(llvm::Module &module, const ModelFacts &facts) {
  FactsBuilder builder(module);
  builder.addInt32(QUANT_ARTIFACT_ABI);
  builder.addInt32((facts.keepsState ? QUANT_KEEPS_STATE : 0) |
                   (facts.usesTiles ? QUANT_USES_TILES : 0));
  builder.addText(facts.name);
  builder.addText(getVersion());
  builder.addText(facts.scheme);
  builder.addText(facts.target);
  builder.addText(facts.triple);
  builder.addText(facts.cpu);
  builder.addText(facts.features);
  builder.addInt32(facts.signature.arguments.size());
  builder.addInt32(facts.signature.results.size());
  builder.addTypes(facts.signature.arguments);
  builder.addTypes(facts.signature.results);
  builder.addText(facts.weightsFile);
  builder.addInt64(facts.weightsSize);
  builder.addBytes(facts.weightsHash);
  for (StringRef name :
       {"quantLoad", "quantUse", "quantRun", "quantRelease", "quantUnload"})
    builder.addFunction(name);
  builder.finish();
}

//===----------------------------------------------------------------------===//
// The object
//===----------------------------------------------------------------------===//

/// Support.c for the target of `module`: nothing in it depends on one but what
/// is said of its functions.
static llvm::Expected<std::unique_ptr<llvm::Module>>
readSupport(const llvm::Module &module) {
  StringRef bytes(reinterpret_cast<const char *>(kSupport), sizeof(kSupport));
  auto support = llvm::parseBitcodeFile(
      llvm::MemoryBufferRef(bytes, "Support.bc"), module.getContext());
  if (!support)
    return support.takeError();
  (*support)->setTargetTriple(module.getTargetTriple());
  (*support)->setDataLayout(module.getDataLayout());
  for (llvm::Function &function : **support)
    for (StringRef attribute : {"target-cpu", "target-features", "tune-cpu",
                                "min-legal-vector-width"})
      function.removeFnAttr(attribute);
  return support;
}

/// Variables that the program writes to.
static bool hasState(ModuleOp module) {
  return llvm::any_of(module.getOps<LLVM::GlobalOp>(), [](auto global) {
    return !global.getConstant() && global.getSymName() != kWeightsSymbol;
  });
}

static bool hasTiles(const llvm::Module &module) {
  return llvm::any_of(module.functions(), [](const llvm::Function &function) {
    return function.getName().starts_with("llvm.x86.tile") ||
           function.getName().starts_with("llvm.x86.tdp");
  });
}

/// One symbol is visible; the rest is the object's own.
static void hideSymbols(llvm::Module &module, const ModelFacts &facts) {
  llvm::Function *entry = module.getFunction("quantGetArtifact");
  entry->setName(facts.name + "_artifact");
  entry->setDSOLocal(false);
  llvm::internalizeModule(module, [&](const llvm::GlobalValue &value) {
    // Calls of those appear when code is selected.
    return &value == entry || value.getName().starts_with("__trunc");
  });
}

static llvm::Expected<llvm::SmallVector<char, 0>>
assemble(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream os(object);
  llvm::legacy::PassManager passes;
  // LLVM's level 0 keeps what nobody calls.
  passes.add(llvm::createGlobalDCEPass());
  if (machine.addPassesToEmitFile(passes, os, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("LLVM writes no objects for this target");
  passes.run(module);
  return object;
}

llvm::Expected<llvm::SmallVector<char, 0>>
quantmlir::generateObject(ModuleOp program, ModelFacts &facts,
                          llvm::TargetMachine &machine, unsigned optLevel) {
  if (llvm::Error error = checkFunctions(program))
    return std::move(error);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(program, context, facts.name);
  if (!module)
    return llvm::createStringError("the program has no form in LLVM IR");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  facts.keepsState = hasState(program);
  facts.usesTiles = hasTiles(*module);
  auto support = readSupport(*module);
  if (!support)
    return support.takeError();
  renameDefinitions(*module);
  if (llvm::Error error = checkCalls(*module, **support))
    return std::move(error);
  redirectCalls(*module);
  if (llvm::Error error = checkThreads(*module))
    return std::move(error);
  bool hasTeams = module->getFunction("quantFork");
  addPause(*module);
  addTrampoline(*module, facts.signature);
  if (llvm::Linker::linkModules(*module, std::move(*support)))
    return llvm::createStringError("the program does not link with what stands "
                                   "around the code of a model");
  if (!hasTeams)
    dropTeams(*module);
  llvm::appendToGlobalDtors(*module, module->getFunction("quantClose"),
                            /*Priority=*/65535);
  addFacts(*module, facts);
  hideSymbols(*module, facts);
  auto optimize =
      makeOptimizingTransformer(optLevel, /*sizeLevel=*/0, &machine);
  if (llvm::Error error = optimize(module.get()))
    return std::move(error);
  return assemble(*module, machine);
}
