//===- InputSet.cpp - inputs for many runs --------------------------------===//

#include "quant/Runtime/Execution/InputSet.h"

#include "quant/Runtime/Host/Npy.h"
#include "quant/Runtime/Host/Npz.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

using namespace mlir;
using namespace quantmlir;

/// Whether a tensor of `shape` can be an argument of `type`.
static bool fits(ArrayRef<int64_t> shape, ArrayRef<int64_t> type) {
  if (shape.size() != type.size())
    return false;
  for (auto [size, wanted] : llvm::zip(shape, type))
    if (!ShapedType::isDynamic(wanted) && size != wanted)
      return false;
  return true;
}

/// How many arguments of `type` a file of `shape` holds; 0: none fits.
static int64_t countInputs(ArrayRef<int64_t> shape, ArrayRef<int64_t> type) {
  if (fits(shape, type))
    return 1;
  if (shape.size() == type.size() + 1 && fits(shape.drop_front(), type))
    return shape.front();
  if (shape.size() == type.size() && !type.empty() && type.front() > 0 &&
      fits(shape.drop_front(), type.drop_front()) &&
      shape.front() % type.front() == 0)
    return shape.front() / type.front();
  return 0;
}

/// The next argument's array has this shape.
llvm::Error InputSet::addShape(Group &group, const Twine &path,
                               SmallVector<int64_t> shape) {
  const HostTensorType &type = arguments[group.shapes.size()];
  int64_t count = countInputs(shape, type.shape);
  std::string found = HostTensorType{type.element, shape}.str();
  if (count == 0)
    return llvm::createStringError(
        path + ": expected one or more inputs of " + type.str() +
        " (several: one dimension more, in front), found " + found);
  if (!group.shapes.empty() && count != group.count)
    return llvm::createStringError(
        path + ": expected " + Twine(group.count) +
        " inputs, as for the first argument, found " + Twine(count) + " (" +
        found + ")");
  group.count = count;
  group.shapes.push_back(std::move(shape));
  return llvm::Error::success();
}

llvm::Error InputSet::addGroup(std::vector<std::string> paths) {
  Group group;
  for (const std::string &path : paths) {
    auto shape = readNpyShape(path);
    if (!shape)
      return shape.takeError();
    if (llvm::Error error = addShape(group, path, std::move(*shape)))
      return error;
  }
  group.paths = std::move(paths);
  numInputs += group.count;
  groups.push_back(std::move(group));
  return llvm::Error::success();
}

/// An array's header ends within so many bytes (NPY 1.0).
static constexpr size_t kMaxHeaderBytes = size_t(1) << 17;

/// Which argument an array is for; none, where its name is another one.
static std::optional<size_t> getArgument(StringRef name, size_t count) {
  size_t number;
  if ((!name.consume_front("in") && !name.consume_front("arr_")) ||
      name.getAsInteger(10, number) || number >= count ||
      name != std::to_string(number))
    return std::nullopt;
  return number;
}

/// The arrays of an archive, by argument, or the first `limit` bytes of each.
/// Of two for one argument it is the first.
static llvm::Expected<std::vector<NpzMember>>
readArguments(StringRef path, size_t count,
              size_t limit = std::numeric_limits<size_t>::max()) {
  std::vector<bool> found(count, false);
  auto isWanted = [&](StringRef name) {
    std::optional<size_t> argument = getArgument(name, count);
    if (!argument || found[*argument])
      return false;
    found[*argument] = true;
    return true;
  };
  auto members = readNpz(path, isWanted, limit);
  if (!members)
    return members.takeError();
  std::vector<NpzMember> arguments;
  for (size_t i = 0; i < count; ++i) {
    std::string number = std::to_string(i);
    auto member = llvm::find_if(*members, [&](const NpzMember &member) {
      return getArgument(member.name, count) == i;
    });
    if (member == members->end())
      return llvm::createStringError(path + ": expected an array 'in" + number +
                                     "' (or 'arr_" + number + "'), found none");
    arguments.push_back(std::move(*member));
  }
  return arguments;
}

llvm::Error InputSet::addArchive(StringRef path) {
  auto members = readArguments(path, arguments.size(), kMaxHeaderBytes);
  if (!members)
    return members.takeError();
  Group group;
  group.paths.push_back(path.str());
  group.isArchive = true;
  // Without arguments every archive is one input.
  group.count = 1;
  for (const NpzMember &member : *members) {
    std::string name = (path + ": " + member.name).str();
    auto shape = parseNpyShape(name, member.bytes);
    if (!shape)
      return shape.takeError();
    if (llvm::Error error = addShape(group, name, std::move(*shape)))
      return error;
  }
  numInputs += group.count;
  groups.push_back(std::move(group));
  return llvm::Error::success();
}

/// The entries of a folder, by name; folders or files whose name ends so.
static std::vector<std::string> listFolder(StringRef folder, bool folders,
                                           StringRef ending) {
  std::vector<std::string> paths;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(folder, code), end;
       !code && it != end; it.increment(code))
    if (llvm::sys::fs::is_directory(it->path()) == folders &&
        StringRef(it->path()).ends_with(ending))
      paths.push_back(it->path());
  llvm::sort(paths);
  return paths;
}

llvm::Error InputSet::addFolder(StringRef folder) {
  auto getNumbered = [&](StringRef parent) {
    std::vector<std::string> paths;
    for (size_t i = 0, e = arguments.size(); i < e; ++i) {
      SmallString<128> path = parent;
      llvm::sys::path::append(path, "in" + Twine(i) + ".npy");
      paths.push_back(path.str().str());
    }
    return paths;
  };
  std::vector<std::string> here = getNumbered(folder);
  if (!here.empty() && llvm::sys::fs::exists(here.front()))
    return addGroup(std::move(here));
  std::vector<std::string> subfolders = listFolder(folder, true, "");
  for (StringRef subfolder : subfolders)
    if (llvm::Error error = addGroup(getNumbered(subfolder)))
      return error;
  if (!subfolders.empty())
    return llvm::Error::success();
  std::vector<std::string> archives = listFolder(folder, false, ".npz");
  for (const std::string &archive : archives)
    if (llvm::Error error = addArchive(archive))
      return error;
  if (!archives.empty())
    return llvm::Error::success();
  std::vector<std::string> files = listFolder(folder, false, ".npy");
  if (arguments.size() != 1 || files.empty())
    return llvm::createStringError(
        folder + ": expected in0.npy" +
        (arguments.size() > 1
             ? " to in" + std::to_string(arguments.size() - 1) + ".npy"
             : "") +
        ", folders that hold them, or NPZ files, found none of these");
  for (const std::string &file : files)
    if (llvm::Error error = addGroup({file}))
      return error;
  return llvm::Error::success();
}

llvm::Expected<InputSet> InputSet::open(ArrayRef<std::string> paths,
                                        const Signature &signature) {
  InputSet set;
  set.arguments = signature.arguments;
  llvm::Error failure = llvm::Error::success();
  if (paths.size() == 1 && llvm::sys::fs::is_directory(paths.front()))
    failure =
        llvm::joinErrors(std::move(failure), set.addFolder(paths.front()));
  else if (paths.size() == 1 && StringRef(paths.front()).ends_with(".npz"))
    failure =
        llvm::joinErrors(std::move(failure), set.addArchive(paths.front()));
  else if (paths.size() != signature.arguments.size())
    failure = llvm::joinErrors(
        std::move(failure),
        llvm::createStringError(
            "'" + signature.name + "': expected a folder or " +
            Twine(signature.arguments.size()) +
            " files of calibration inputs, found " + Twine(paths.size())));
  else
    failure = llvm::joinErrors(std::move(failure), set.addGroup(paths));
  if (failure)
    return std::move(failure);
  if (set.numInputs == 0)
    return llvm::createStringError(paths.front() +
                                   ": expected at least one input, found none");
  return set;
}

InputSet InputSet::of(std::vector<HostTensor> tensors) {
  InputSet set;
  Group group;
  group.count = set.numInputs = 1;
  for (const HostTensor &tensor : tensors)
    set.arguments.push_back(tensor.getType());
  set.groups.push_back(std::move(group));
  // The address stays: moving a vector keeps its elements where they are.
  set.loaded = set.groups.data();
  set.tensors = std::move(tensors);
  return set;
}

llvm::Error InputSet::load(const Group &group) {
  tensors.clear();
  loaded = nullptr;
  std::vector<NpzMember> members;
  if (group.isArchive) {
    // Not more of an array than its shape says.
    size_t limit = 0;
    for (auto [argument, shape] : llvm::zip_equal(arguments, group.shapes))
      if (std::optional<int64_t> size = getNumBytes(argument.element, shape))
        limit = std::max(limit, *size + kMaxHeaderBytes);
    auto read = readArguments(group.paths.front(), arguments.size(), limit);
    if (!read)
      return read.takeError();
    members = std::move(*read);
  }
  for (size_t i = 0, e = arguments.size(); i < e; ++i) {
    HostTensorType type{arguments[i].element, group.shapes[i]};
    auto tensor = group.isArchive
                      ? parseNpy(group.paths.front() + ": " + members[i].name,
                                 members[i].bytes, type)
                      : readNpy(group.paths[i], type);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  loaded = &group;
  return llvm::Error::success();
}

llvm::Expected<std::vector<HostTensor>> InputSet::get(int64_t index) {
  const Group *group = groups.data();
  for (; index >= group->count; ++group)
    index -= group->count;
  if (loaded != group)
    if (llvm::Error error = load(*group))
      return std::move(error);
  std::vector<HostTensor> inputs;
  for (auto [tensor, argument] : llvm::zip_equal(tensors, arguments)) {
    // One input has the file's shape without the leading dimension, or a part
    // of that.
    HostTensorType type = tensor.getType();
    if (type.shape.size() > argument.shape.size())
      type.shape.erase(type.shape.begin());
    else if (group->count > 1)
      type.shape.front() /= group->count;
    auto input = HostTensor::create(type);
    if (!input)
      return input.takeError();
    size_t size = input->getBytes().size();
    if (size)
      std::memcpy(input->getData(), tensor.getBytes().data() + index * size,
                  size);
    inputs.push_back(std::move(*input));
  }
  return inputs;
}
