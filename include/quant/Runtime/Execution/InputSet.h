//===- InputSet.h - inputs for many runs ------------------------*- C++ -*-===//
//
// Representative inputs on disk. What is understood, for a program with the
// arguments in0, in1, ...:
//
// * `a.npy,b.npy`: one file for each argument;
// * `a.npz`: the arrays in0, in1, ... (or arr_0, arr_1, ...) of it;
// * a folder with `in0.npy`, `in1.npy`, ...: the same;
// * a folder of folders with `in0.npy`, `in1.npy`, ... each, in the order of
//   their names;
// * a folder of NPZ files, or, where there is one argument only, of NPY files,
// of
//   any names.
//
// Every array is one input, in the argument's shape, or several: with one
// dimension more, in front; or with a leading size that is a multiple of the
// argument's.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_EXECUTION_INPUTSET_H
#define QUANT_RUNTIME_EXECUTION_INPUTSET_H

#include "quant/Runtime/Execution/JitRunner.h"

namespace quantmlir {

class InputSet {
public:
  /// Reads the files' headers and verifies them.
  static llvm::Expected<InputSet> open(llvm::ArrayRef<std::string> paths,
                                       const Signature &signature);

  /// A set of one.
  static InputSet of(std::vector<HostTensor> tensors);

  int64_t size() const { return numInputs; }
  /// One tensor for each argument. Cheap when called with rising `index`.
  llvm::Expected<std::vector<HostTensor>> get(int64_t index);

private:
  /// Files that belong together, one for each argument.
  struct Group {
    /// One NPY file for each argument, or one NPZ file with all of them.
    std::vector<std::string> paths;
    bool isArchive = false;
    std::vector<llvm::SmallVector<int64_t>> shapes;
    int64_t count = 0;
  };

  llvm::Error addGroup(std::vector<std::string> paths);
  llvm::Error addArchive(llvm::StringRef path);
  llvm::Error addShape(Group &group, const llvm::Twine &path,
                       llvm::SmallVector<int64_t> shape);
  llvm::Error addFolder(llvm::StringRef folder);
  llvm::Error load(const Group &group);

  std::vector<HostTensorType> arguments;
  std::vector<Group> groups;
  int64_t numInputs = 0;
  const Group *loaded = nullptr;
  std::vector<HostTensor> tensors;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_INPUTSET_H
