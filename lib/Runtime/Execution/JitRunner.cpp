//===- JitRunner.cpp - compile a module in memory and call it -------------===//
//
// The calling convention is upstream's C interface: each tensor is a pointer
// to a descriptor {allocated, aligned, offset, sizes[rank], strides[rank]} of
// 64-bit words; all results come back in one struct of descriptors, to which
// the first argument points.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Execution/JitRunner.h"

#include "quant/CAPI/AMX.h"
#include "quant/Conversion/ExternalConstants.h"
#include "quant/Instrument/InstrumentMatmuls.h"
#include "quant/Instrument/SwitchMatmuls.h"
#include "quant/Runtime/Cuda/CudaRuntime.h"
#include "quant/Runtime/Execution/Profile.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/CRunnerUtils.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace mlir;
using namespace quantmlir;

// Of libmlir_float16_utils: what the code generator calls to round to bf16 on
// machines without an instruction for it. Only the addresses matter here.
extern "C" void __truncsfbf2();
extern "C" void __truncdfbf2();

static_assert(sizeof(void *) == sizeof(int64_t),
              "descriptors are read as words of 64 bits");

void quantmlir::initializeJit(DialectRegistry &registry) {
  llvm::CrashRecoveryContext::Enable();
  // Before there are threads, which inherit it; false where there are no tiles.
  quantRequestAMXPermission();
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerOpenMPDialectTranslation(registry);
  gpu::registerOffloadingLLVMTranslationInterfaceExternalModels(registry);
}

/// Whether there are calls of AMX's intrinsics.
static bool hasTiles(ModuleOp module) {
  return module
      .walk([](LLVM::CallIntrinsicOp op) {
        return op.getIntrin().starts_with("llvm.x86.tile")
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// LLVM's scheduler behind register allocation, which the models of processors
/// without tiles ask for (Zen 4), renames registers: a tile to one that
/// LDTILECFG was not told of. It counts the option from its place in a command
/// line, which is not 0.
static void keepTileRegisters() {
  constexpr llvm::StringLiteral name = "break-anti-dependencies";
  static bool isSet = false;
  auto &options = llvm::cl::getRegisteredOptions();
  auto found = options.find(name);
  if (isSet || found == options.end())
    return;
  isSet = true;
  found->second->addOccurrence(/*pos=*/1, name, "none");
}

llvm::Expected<std::unique_ptr<ExecutionEngine>>
quantmlir::createHostEngine(ModuleOp module, unsigned optLevel) {
  if (hasTiles(module))
    keepTileRegisters();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  llvm::CodeGenOptLevel codeGenLevel = getCodeGenLevel(optLevel);
  builder->setCodeGenOptLevel(codeGenLevel);
  // Code uses tiles only where it was lowered for a CPU that has them
  // (--cpu=), which need not be this one: tests emulate them.
  if (builder->getTargetTriple().getArch() == llvm::Triple::x86_64)
    builder->addFeatures({"+amx-tile", "+amx-int8"});
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  auto optimize =
      makeOptimizingTransformer(optLevel, /*sizeLevel=*/0, machine->get());
  ExecutionEngineOptions options;
  options.transformer = optimize;
  options.jitCodeGenOptLevel = codeGenLevel;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  return ExecutionEngine::create(module, options, std::move(*machine));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

namespace {
/// Symbols and where they are.
using Addresses = std::vector<std::pair<std::string, const void *>>;
} // namespace

/// Turns large constants into declarations and collects their addresses. Bytes
/// that are not aligned as the code expects are copied to `aligned`.
static llvm::Error bindConstants(ModuleOp module, Addresses &addresses,
                                 std::vector<HostTensor> &aligned) {
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    ArrayRef<char> bytes = getExternalBytes(global);
    if (bytes.empty())
      continue;
    const void *address = bytes.data();
    uint64_t alignment =
        std::max(global.getAlignment().value_or(0), kConstantAlignment);
    if (reinterpret_cast<uintptr_t>(address) % alignment != 0) {
      auto copy = HostTensor::create(
          {HostType::I8, {static_cast<int64_t>(bytes.size())}});
      if (!copy)
        return copy.takeError();
      std::memcpy(copy->getData(), bytes.data(), bytes.size());
      address = copy->getData();
      aligned.push_back(std::move(*copy));
    }
    addresses.emplace_back(global.getSymName().str(), address);
    global.removeValueAttr();
    global.setLinkage(LLVM::Linkage::External);
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The runner
//===----------------------------------------------------------------------===//

/// What a program that stopped itself said before (`cf.assert` and comparisons
/// of sizes print, then abort).
static thread_local std::string assertMessage;

static int keepMessage(const char *text) {
  assertMessage = text;
  return 0;
}

/// The same for sizes that differ (quant-check-sizes).
static int keepFormatted(int, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  assertMessage = StringRef(text).trim().str();
  return length;
}

/// Where observations of the run in progress go.
static thread_local ObservationSink currentSink = nullptr;
static thread_local FormSource currentFormSource = nullptr;

/// What switched code calls.
static int64_t choose(int64_t matmul) {
  return currentFormSource ? currentFormSource(matmul) : 0;
}

/// Copies dimension `dim` of a strided source to contiguous elements.
static void copyStrided(const char *source, ArrayRef<int64_t> sizes,
                        ArrayRef<int64_t> strides, int64_t width, char *&to);

/// Whether elements follow each other in C order.
static bool isContiguous(ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides);

/// What instrumented code calls.
static void observe(int64_t id, ::UnrankedMemRefType<float> *tensor) {
  if (!currentSink)
    return;
  ::DynamicMemRefType<float> view(*tensor);
  ArrayRef<int64_t> sizes(view.sizes, view.rank);
  ArrayRef<int64_t> strides(view.strides, view.rank);
  size_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  const float *data = view.data + view.offset;
  if (isContiguous(sizes, strides))
    return currentSink(id, sizes, ArrayRef<float>(data, count));
  std::vector<float> copy(count);
  auto *to = reinterpret_cast<char *>(copy.data());
  copyStrided(reinterpret_cast<const char *>(data), sizes, strides,
              sizeof(float), to);
  currentSink(id, sizes, copy);
}

/// `status` is 128 + the signal's number.
static std::string describeSignal(int status) {
  switch (status - 128) {
  case SIGSEGV:
  case SIGBUS:
    return "it reads or writes outside of its memory (an index that is out of "
           "range?)";
  case SIGILL:
    return "this machine does not have an instruction that it uses (--cpu and "
           "--features say which are chosen)";
  case SIGFPE:
    return "it divides an integer by zero";
  default:
    return "it stopped with status " + std::to_string(status);
  }
}

/// What programs with kernels call.
static SmallVector<std::pair<StringRef, const void *>> getCudaFunctions() {
  auto address = [](auto *function) {
    return reinterpret_cast<const void *>(function);
  };
  return {{"quantGpuUpload", address(&quantGpuUpload)},
          {"quantGpuConstant", address(&quantGpuConstant)},
          {"quantGpuAllocate", address(&quantGpuAllocate)},
          {"quantGpuWorkspace", address(&quantGpuWorkspace)},
          {"quantGpuDownload", address(&quantGpuDownload)},
          {"quantGpuFree", address(&quantGpuFree)},
          {"mgpuModuleLoad", address(&mgpuModuleLoad)},
          {"mgpuModuleLoadJIT", address(&mgpuModuleLoadJIT)},
          {"mgpuModuleUnload", address(&mgpuModuleUnload)},
          {"mgpuModuleGetFunction", address(&mgpuModuleGetFunction)},
          {"mgpuLaunchKernel", address(&mgpuLaunchKernel)},
          {"mgpuStreamCreate", address(&mgpuStreamCreate)},
          {"mgpuStreamDestroy", address(&mgpuStreamDestroy)},
          {"mgpuStreamSynchronize", address(&mgpuStreamSynchronize)}};
}

JitRunner::JitRunner() = default;
JitRunner::~JitRunner() = default;

/// What bufferization wanted to know about the observer, nobody knows after it.
static void cleanObserver(ModuleOp module) {
  for (StringRef name :
       {StringRef(kObserveFunction), StringRef(kObserveSymbol)})
    if (auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      function.removeArgAttrsAttr();
}

/// Opens OpenMP's library if the program has threads; one that has none does
/// not need the library.
static llvm::Error loadThreads(ModuleOp module) {
  constexpr const char *library = "libomp.so.5";
  WalkResult walk = module.walk([](Operation *op) {
    return op->getName().getDialectNamespace() == "omp"
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  std::string message;
  if (walk.wasInterrupted() &&
      llvm::sys::DynamicLibrary::LoadLibraryPermanently(library, &message))
    return llvm::createStringError("--threads needs OpenMP's library: " +
                                   message);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<JitRunner>>
JitRunner::create(OwningOpRef<ModuleOp> module, Signature signature,
                  unsigned optLevel) {
  std::unique_ptr<JitRunner> runner(new JitRunner());
  cleanObserver(*module);
  Addresses addresses;
  if (llvm::Error missing =
          bindConstants(*module, addresses, runner->alignedConstants))
    return std::move(missing);
  if (llvm::Error missing = loadThreads(*module))
    return std::move(missing);
  auto engine = createHostEngine(*module, optLevel);
  if (!engine)
    return engine.takeError();
  (*engine)->registerSymbols([&](llvm::orc::MangleAndInterner intern) {
    llvm::orc::SymbolMap symbols;
    auto add = [&](StringRef name, const void *address) {
      symbols[intern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                               llvm::JITSymbolFlags::Exported};
    };
    for (auto &[name, address] : addresses)
      add(name, address);
    add("memrefCopy", reinterpret_cast<const void *>(&memrefCopy));
    add(kChooseSymbol, reinterpret_cast<const void *>(&choose));
    add(kObserveSymbol, reinterpret_cast<const void *>(&observe));
    for (auto [name, address] : getCudaFunctions())
      add(name, address);
    for (auto [name, address] : getProfileFunctions())
      add(name, address);
    add("puts", reinterpret_cast<const void *>(&keepMessage));
    add("dprintf", reinterpret_cast<const void *>(&keepFormatted));
    add("__truncsfbf2", reinterpret_cast<const void *>(&__truncsfbf2));
    add("__truncdfbf2", reinterpret_cast<const void *>(&__truncdfbf2));
    return symbols;
  });
  (*engine)->initialize();
  auto function = (*engine)->lookupPacked("_mlir_ciface_" + signature.name);
  if (!function)
    return function.takeError();
  runner->module = std::move(module);
  runner->engine = std::move(*engine);
  runner->function = *function;
  runner->signature = std::move(signature);
  return runner;
}

/// Words of a descriptor.
static size_t getDescriptorSize(const HostTensorType &type) {
  return 3 + 2 * type.shape.size();
}

/// The descriptor of a tensor in C order.
static SmallVector<int64_t> makeDescriptor(HostTensor &tensor) {
  auto address = reinterpret_cast<int64_t>(tensor.getData());
  SmallVector<int64_t> words = {address, address, 0};
  llvm::append_range(words, tensor.getShape());
  SmallVector<int64_t> strides(tensor.getShape().size(), 1);
  for (int64_t i = static_cast<int64_t>(strides.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * tensor.getShape()[i + 1];
  llvm::append_range(words, strides);
  return words;
}

static bool isContiguous(ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  int64_t expected = 1;
  for (size_t i = sizes.size(); i-- > 0; expected *= sizes[i])
    if (sizes[i] != 1 && strides[i] != expected)
      return false;
  return true;
}

static void copyStrided(const char *source, ArrayRef<int64_t> sizes,
                        ArrayRef<int64_t> strides, int64_t width, char *&to) {
  if (sizes.empty()) {
    std::memcpy(to, source, width);
    to += width;
    return;
  }
  for (int64_t i = 0; i < sizes.front(); ++i)
    copyStrided(source + i * strides.front() * width, sizes.drop_front(),
                strides.drop_front(), width, to);
}

llvm::Expected<HostTensor>
JitRunner::takeResult(const HostTensorType &type,
                      ArrayRef<int64_t> words) const {
  size_t rank = type.shape.size();
  ArrayRef<int64_t> sizes = words.slice(3, rank);
  ArrayRef<int64_t> strides = words.slice(3 + rank, rank);
  auto tensor = HostTensor::create({type.element, llvm::to_vector(sizes)});
  if (!tensor)
    return tensor;
  if (tensor->getNumElements() == 0)
    return tensor;
  int64_t width = getByteWidth(type.element);
  const char *source =
      reinterpret_cast<const char *>(words[1]) + words[2] * width;
  char *to = tensor->getData();
  if (isContiguous(sizes, strides))
    std::memcpy(to, source, tensor->getBytes().size());
  else
    copyStrided(source, sizes, strides, width, to);
  // The upper bits of an i4 are not the program's.
  if (type.element == HostType::I4)
    for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i)
      tensor->getData()[i] = static_cast<char>(tensor->getAsInt(i));
  return tensor;
}

llvm::Expected<std::vector<HostTensor>>
JitRunner::takeResults(ArrayRef<int64_t> words,
                       ArrayRef<SmallVector<int64_t>> inputs) const {
  // A result that is no input was allocated for the caller, and may be given
  // more than once.
  std::vector<HostTensor> results;
  SmallVector<int64_t> allocated;
  llvm::Error failure = llvm::Error::success();
  for (const HostTensorType &type : signature.results) {
    auto tensor = takeResult(type, words.take_front(getDescriptorSize(type)));
    if (tensor)
      results.push_back(std::move(*tensor));
    else
      failure = llvm::joinErrors(std::move(failure), tensor.takeError());
    int64_t pointer = words.front();
    bool isInput = llvm::any_of(
        inputs, [&](const auto &input) { return input[0] == pointer; });
    if (!isInput && !llvm::is_contained(allocated, pointer))
      allocated.push_back(pointer);
    words = words.drop_front(getDescriptorSize(type));
  }
  for (int64_t pointer : allocated)
    std::free(reinterpret_cast<void *>(pointer));
  if (failure)
    return std::move(failure);
  return results;
}

llvm::Expected<RunResult> JitRunner::run(ArrayRef<HostTensor> inputs,
                                         ObservationSink sink,
                                         FormSource choose) const {
  std::vector<HostTensor> copies;
  std::vector<SmallVector<int64_t>> descriptors;
  for (const HostTensor &input : inputs) {
    auto copy = input.clone();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
    descriptors.push_back(makeDescriptor(copies.back()));
  }
  size_t numWords = 0;
  for (const HostTensorType &type : signature.results)
    numWords += getDescriptorSize(type);
  std::vector<int64_t> words(numWords, 0);

  // The packed function takes the address of each argument, and each argument
  // is itself a pointer.
  std::vector<void *> arguments;
  if (numWords)
    arguments.push_back(words.data());
  for (SmallVector<int64_t> &descriptor : descriptors)
    arguments.push_back(descriptor.data());
  std::vector<void *> packed;
  for (void *&argument : arguments)
    packed.push_back(&argument);

  std::chrono::duration<double, std::milli> time{0};
  llvm::CrashRecoveryContext guard;
  assertMessage.clear();
  currentSink = sink;
  currentFormSource = choose;
  bool returned = guard.RunSafely([&] {
    auto begin = std::chrono::steady_clock::now();
    function(packed.data());
    time = std::chrono::steady_clock::now() - begin;
  });
  currentSink = nullptr;
  currentFormSource = nullptr;
  if (!returned)
    return llvm::createStringError(
        "'" + signature.name + "' does not accept these inputs: " +
        (assertMessage.empty() ? describeSignal(guard.RetCode)
                               : "assertion failed: " + assertMessage));

  auto results = takeResults(words, descriptors);
  if (!results)
    return results.takeError();
  return RunResult{std::move(*results), time.count()};
}
