//===- RankTeam.cpp - the processes that run one program ------------------===//

#include "quant/Runtime/Ranks/RankTeam.h"
#include "quant/Runtime/Ranks/Watch.h"
#include "quant/Support/MPILibrary.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

/// Functions of MPI. Handles are integers in MPICH and pointers in Open MPI: of
/// an integer that fills a register, a function takes what it needs.
struct RankTeam::Library {
  using Handle = intptr_t;

  bool isOpenMPI = false;
  int (*init)(int *, char ***) = nullptr;
  int (*finalize)() = nullptr;
  int (*abort)(Handle, int) = nullptr;
  int (*commRank)(Handle, int *) = nullptr;
  int (*commSize)(Handle, int *) = nullptr;
  int (*allReduce)(const void *, void *, int, Handle type, Handle op,
                   Handle comm) = nullptr;
  Handle world = 0, int64 = 0, max = 0;

  llvm::Error open();

private:
  llvm::Error find();
};

template <typename T>
static llvm::Error findFunction(const char *name, T &function) {
  function = reinterpret_cast<T>(
      llvm::sys::DynamicLibrary::SearchForAddressOfSymbol(name));
  if (function)
    return llvm::Error::success();
  return llvm::createStringError(
      llvm::Twine("--shard: the MPI library has no ") + name);
}

llvm::Error RankTeam::Library::open() {
  auto path = openMPILibrary();
  if (!path)
    return llvm::createStringError("--shard: " +
                                   llvm::toString(path.takeError()));
  std::string message;
  if (llvm::sys::DynamicLibrary::LoadLibraryPermanently(path->c_str(),
                                                        &message))
    return llvm::createStringError("--shard: " + message);
  return find();
}

llvm::Error RankTeam::Library::find() {
  llvm::Error missing = llvm::Error::success();
  auto get = [&](const char *name, auto &function) {
    missing =
        llvm::joinErrors(std::move(missing), findFunction(name, function));
  };
  get("MPI_Init", init);
  get("MPI_Finalize", finalize);
  get("MPI_Abort", abort);
  get("MPI_Comm_rank", commRank);
  get("MPI_Comm_size", commSize);
  get("MPI_Allreduce", allReduce);
  auto address = [](const char *name) {
    return reinterpret_cast<Handle>(
        llvm::sys::DynamicLibrary::SearchForAddressOfSymbol(name));
  };
  world = address("ompi_mpi_comm_world");
  isOpenMPI = world != 0;
  if (isOpenMPI) {
    int64 = address("ompi_mpi_int64_t");
    max = address("ompi_mpi_op_max");
  } else {
    // As in MPICH's mpi.h and in upstream's lowering.
    world = 0x44000000;
    int64 = 0x4c00083a;
    max = 0x58000001;
  }
  return missing;
}

//===----------------------------------------------------------------------===//
// The team
//===----------------------------------------------------------------------===//

RankTeam::RankTeam() = default;

RankTeam::~RankTeam() {
  if (library)
    library->finalize();
}

StringRef RankTeam::getLibrary() const {
  return library->isOpenMPI ? "OpenMPI" : "MPICH";
}

static llvm::Error wrongNumber(int64_t expected, int64_t found) {
  return llvm::createStringError(
      "--shard=" + llvm::Twine(expected) + ": expected " +
      llvm::Twine(expected) + " processes, found " + llvm::Twine(found) +
      " (mpirun -n " + llvm::Twine(expected) + " quant-run ...)");
}

/// What started the processes says how many there are; none, if nothing did.
static int64_t countLaunched() {
  for (const char *name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char *text = std::getenv(name)) {
      int64_t count = 0;
      if (llvm::to_integer(StringRef(text), count))
        return count;
    }
  // PMIx (Slurm, Open MPI 5) does not say how many.
  return std::getenv("PMIX_RANK") ? -1 : 1;
}

/// mpirun ends all processes when one has died.
static void endWithTeam(int) {
  constexpr char message[] =
      "error: ended, because another rank has ended or mpirun was stopped\n";
  // Whoever cannot be told cannot be told.
  [[maybe_unused]] ssize_t written =
      write(STDERR_FILENO, message, sizeof(message) - 1);
  _exit(128 + SIGTERM);
}

llvm::Expected<std::unique_ptr<RankTeam>> RankTeam::join(int64_t ranks,
                                                         unsigned timeout) {
  // Before anything is started that waits for others.
  int64_t launched = countLaunched();
  if (launched >= 0 && launched != ranks)
    return wrongNumber(ranks, launched);
  std::unique_ptr<RankTeam> team(new RankTeam());
  auto library = std::make_unique<Library>();
  if (llvm::Error error = library->open())
    return std::move(error);
  team->ranks = ranks;
  team->timeout = timeout;
  auto waiting = team->watch("to start");
  if (library->init(nullptr, nullptr))
    return llvm::createStringError("--shard: MPI_Init failed");
  team->library = std::move(library);
  std::signal(SIGTERM, endWithTeam);
  int rank = 0, size = 0;
  team->library->commRank(team->library->world, &rank);
  team->library->commSize(team->library->world, &size);
  team->rank = rank;
  if (size != ranks)
    return wrongNumber(ranks, size);
  return team;
}

std::unique_ptr<RankTeam::Watch> RankTeam::watch(StringRef what) const {
  return std::make_unique<Watch>(
      timeout,
      ("rank " + llvm::Twine(rank) + " waited " + llvm::Twine(timeout) +
       " s for the other ranks " + what + " (--shard-timeout)")
          .str());
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

namespace {
/// Hashes what is written to it.
class HashStream : public llvm::raw_ostream {
public:
  ~HashStream() override { flush(); }

  uint64_t finish() {
    flush();
    auto hash = hasher.final<sizeof(uint64_t)>();
    return llvm::support::endian::read64le(hash.data());
  }

private:
  void write_impl(const char *data, size_t size) override {
    hasher.update(StringRef(data, size));
    position += size;
  }
  uint64_t current_pos() const override { return position; }

  llvm::BLAKE3 hasher;
  uint64_t position = 0;
};
} // namespace

RankTask RankTask::of(ModuleOp program, ArrayRef<HostTensor> inputs) {
  RankTask task;
  HashStream code;
  // A program that cannot be written is the same as no other.
  if (failed(writeBytecodeToFile(program, code)))
    code << getpid();
  task.program = code.finish();
  HashStream data;
  for (const HostTensor &input : inputs) {
    data << input.getType().str();
    ArrayRef<char> bytes = input.getBytes();
    data.write(bytes.data(), bytes.size());
  }
  task.inputs = data.finish();
  return task;
}

/// A rank's entry of the table that all ranks compare.
static constexpr size_t kEntrySize = 3;

llvm::Error RankTeam::compareTasks(bool failed, const RankTask &task) {
  // Each rank fills its own entry; the maximum of all tables is the whole.
  std::vector<int64_t> mine(kEntrySize * ranks,
                            std::numeric_limits<int64_t>::min()),
      all(mine.size());
  int64_t *entry = &mine[kEntrySize * rank];
  entry[0] = failed;
  entry[1] = static_cast<int64_t>(task.program >> 1);
  entry[2] = static_cast<int64_t>(task.inputs >> 1);
  {
    auto waiting = watch("to compile the program");
    library->allReduce(mine.data(), all.data(), static_cast<int>(mine.size()),
                       library->int64, library->max, library->world);
  }
  for (int64_t other = 0; other < ranks; ++other) {
    if (all[kEntrySize * other])
      return llvm::createStringError("rank " + llvm::Twine(other) +
                                     " could not compile the program");
    for (size_t i = 1; i < kEntrySize; ++i)
      if (all[kEntrySize * other + i] != all[i])
        return llvm::createStringError(
            "expected the same " + llvm::Twine(i == 1 ? "program" : "inputs") +
            " on every rank, found others on rank " + llvm::Twine(other) +
            " than on rank 0");
  }
  return llvm::Error::success();
}

llvm::Error RankTeam::compareOnce(bool failed, const RankTask &task) {
  llvm::Error error = compareTasks(failed, task);
  state = error ? State::Over : State::Together;
  return error;
}

llvm::Error RankTeam::agree(const RankTask &task) {
  if (state == State::Apart)
    return compareOnce(/*failed=*/false, task);
  return llvm::Error::success();
}

void RankTeam::giveUp() {
  // All learn of it, and end themselves.
  if (state == State::Apart)
    return llvm::consumeError(compareOnce(/*failed=*/true, RankTask()));
  if (state == State::Together)
    library->abort(library->world, 1);
}
