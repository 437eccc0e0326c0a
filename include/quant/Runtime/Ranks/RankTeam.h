//===- RankTeam.h - the processes that run one program ----------*- C++ -*-===//
//
// What quant-run itself asks of MPI: who it is, whether all ranks have the same
// to do, and an end for all where one fails. What a program sends is in its
// code. The MPI library is opened when a team is joined, so that nothing is
// linked with one; its handles are those that upstream's lowering of the
// dialect mpi uses.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_RANKS_RANKTEAM_H
#define QUANT_RUNTIME_RANKS_RANKTEAM_H

#include "quant/Runtime/Host/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace quantmlir {

/// What has to be the same on every rank.
struct RankTask {
  uint64_t program = 0, inputs = 0;

  /// Hashes of the program, with its constants, and of the inputs.
  static RankTask of(mlir::ModuleOp program, llvm::ArrayRef<HostTensor> inputs);
};

class RankTeam {
public:
  /// Fails where there are not `ranks` processes, or no MPI library. Whoever
  /// does not answer for `timeout` seconds ends the process.
  static llvm::Expected<std::unique_ptr<RankTeam>> join(int64_t ranks,
                                                        unsigned timeout);
  ~RankTeam();

  int64_t getRank() const { return rank; }
  /// As upstream's lowering calls the library: OpenMPI or MPICH.
  llvm::StringRef getLibrary() const;

  /// Waits for all ranks; fails on all of them where one has another task, or
  /// has given up. Later calls do nothing: the program runs.
  llvm::Error agree(const RankTask &task);

  /// Ends the other ranks too: they learn of it when they agree, and are ended
  /// where they do so no more.
  void giveUp();

  /// Ends the process, with a message, unless it is destroyed in time.
  class Watch;
  std::unique_ptr<Watch> watch(llvm::StringRef what) const;

private:
  struct Library;
  RankTeam();
  llvm::Error compareTasks(bool failed, const RankTask &task);
  llvm::Error compareOnce(bool failed, const RankTask &task);

  std::unique_ptr<Library> library;
  int64_t rank = 0, ranks = 1;
  unsigned timeout = 0;
  /// Before all ranks compare their tasks; when these are the same; when all
  /// know that they are not.
  enum class State { Apart, Together, Over } state = State::Apart;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_RANKS_RANKTEAM_H
