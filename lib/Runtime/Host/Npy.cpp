//===- Npy.cpp - NumPy's file format --------------------------------------===//

#include "quant/Runtime/Host/Npy.h"

#include "quant/Support/ForeignFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

static constexpr StringLiteral kMagic = "\x93NUMPY";

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// How NumPy names the type, as it writes it.
static StringRef getDescr(HostType type) {
  static constexpr StringLiteral names[] = {"|b1", "|i1", "|i1", "<i2", "<i4",
                                            "<i8", "<f2", "<V2", "<f4", "<f8"};
  return names[static_cast<size_t>(type)];
}

/// Whether data of NumPy's type `descr` (its byte order taken off) can be read
/// as elements of `type`.
static bool isReadableAs(StringRef descr, HostType type) {
  StringRef name = getDescr(type).drop_front();
  if (descr == name)
    return true;
  return name.front() == 'i' && descr.size() == name.size() &&
         descr.front() == 'u' && descr.drop_front() == name.drop_front();
}

//===----------------------------------------------------------------------===//
// The header: a Python dictionary of three entries
//===----------------------------------------------------------------------===//

namespace {

struct Header {
  std::string descr;
  bool fortranOrder = false;
  SmallVector<int64_t> shape;
};

/// Reads the header's text. Every member returns false at what it does not
/// understand.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  bool parse(Header &header) {
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!consume("{"))
      return false;
    while (!consume("}")) {
      std::string key;
      if (!parseString(key) || !consume(":"))
        return false;
      bool parsed = false;
      if (key == "descr")
        parsed = hasDescr = parseString(header.descr);
      else if (key == "fortran_order")
        parsed = hasOrder = parseBool(header.fortranOrder);
      else if (key == "shape")
        parsed = hasShape = parseShape(header.shape);
      if (!parsed)
        return false;
      if (!consume(",") && !rest.ltrim().starts_with("}"))
        return false;
    }
    return hasDescr && hasOrder && hasShape && rest.trim().empty();
  }

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool parseString(std::string &text) {
    StringRef quote = consume("'") ? "'" : consume("\"") ? "\"" : "";
    if (quote.empty())
      return false;
    size_t end = rest.find(quote);
    if (end == StringRef::npos)
      return false;
    text = rest.take_front(end).str();
    rest = rest.drop_front(end + 1);
    return true;
  }
  bool parseBool(bool &value) {
    value = consume("True");
    return value || consume("False");
  }
  bool parseShape(SmallVector<int64_t> &shape) {
    shape.clear();
    if (!consume("("))
      return false;
    while (!consume(")")) {
      int64_t size;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, size) || size < 0)
        return false;
      rest.consume_front("L"); // Python 2 wrote long integers so.
      shape.push_back(size);
      if (!consume(",") && !rest.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  StringRef rest;
};

/// A file's name in front of each message.
class Reader {
public:
  Reader(StringRef path, const HostTensorType &expected)
      : path(path), expected(expected) {}

  llvm::Expected<HostTensor> read(StringRef bytes);
  /// Takes the header off the front of `bytes`.
  llvm::Expected<Header> readHeader(StringRef &bytes);

private:
  llvm::Error error(const Twine &message) {
    return llvm::createStringError(path + ": " + message);
  }
  llvm::Error verify(const Header &header);
  llvm::Error narrowToI4(HostTensor &tensor, StringRef descr);

  StringRef path;
  const HostTensorType &expected;
};

} // namespace

llvm::Expected<Header> Reader::readHeader(StringRef &bytes) {
  if (bytes.starts_with("PK\x03\x04"))
    return error("expected an NPY file, found an archive of them (NPZ): "
                 "--evaluate, --calibrate and --sensitivity take one");
  if (!bytes.consume_front(kMagic))
    return error("expected an NPY file, found no NPY magic string");
  if (bytes.size() < 2)
    return error("the file ends within the NPY header");
  int major = bytes[0], minor = bytes[1];
  if ((major != 1 && major != 2) || minor != 0)
    return error("expected NPY version 1.0 or 2.0, found " + Twine(major) +
                 "." + Twine(minor));
  bytes = bytes.drop_front(2);
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (bytes.size() < lengthBytes)
    return error("the file ends within the NPY header");
  size_t length = major == 1 ? llvm::support::endian::read16le(bytes.data())
                             : llvm::support::endian::read32le(bytes.data());
  bytes = bytes.drop_front(lengthBytes);
  if (bytes.size() < length)
    return error("the file ends within the NPY header: expected " +
                 Twine(length) + " bytes, found " + Twine(bytes.size()));
  Header header;
  if (!HeaderParser(bytes.take_front(length)).parse(header))
    return error("the NPY header is not a dictionary of descr, fortran_order "
                 "and shape");
  bytes = bytes.drop_front(length);
  return header;
}

llvm::Error Reader::verify(const Header &header) {
  StringRef descr = header.descr;
  if (descr.starts_with(">"))
    return error("expected little endian data, found '" + descr + "'");
  if (descr.empty() || !StringRef("<|=").contains(descr.front()) ||
      !isReadableAs(descr.drop_front(), expected.element))
    return error("expected elements of " + getName(expected.element) +
                 " (NPY '" + getDescr(expected.element) + "'), found '" +
                 descr + "'");
  std::string found = HostTensorType{expected.element, header.shape}.str();
  if (header.shape.size() != expected.shape.size())
    return error("expected rank " + Twine(expected.shape.size()) + " (" +
                 expected.str() + "), found rank " +
                 Twine(header.shape.size()) + " (" + found + ")");
  for (auto [size, wanted] : llvm::zip(header.shape, expected.shape))
    if (!ShapedType::isDynamic(wanted) && size != wanted)
      return error("expected shape " + expected.str() + ", found " + found);
  return llvm::Error::success();
}

/// Elements in Fortran order, whose first index runs fastest, to C order.
static void copyFromFortran(const char *from, ArrayRef<int64_t> shape,
                            int64_t width, char *to) {
  SmallVector<int64_t> strides, index(shape.size(), 0);
  int64_t size = 1;
  for (int64_t extent : shape) {
    strides.push_back(size);
    size *= extent;
  }
  for (int64_t i = 0, offset = 0; i < size; ++i) {
    std::memcpy(to + i * width, from + offset * width, width);
    for (size_t dim = shape.size(); dim-- > 0;) {
      offset += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      offset -= index[dim] * strides[dim];
      index[dim] = 0;
    }
  }
}

llvm::Expected<HostTensor> Reader::read(StringRef bytes) {
  llvm::Expected<Header> header = readHeader(bytes);
  if (!header)
    return header.takeError();
  if (llvm::Error mismatch = verify(*header))
    return std::move(mismatch);
  HostTensorType type{expected.element, header->shape};
  std::optional<int64_t> numBytes = getNumBytes(type.element, type.shape);
  if (!numBytes)
    return error(type.str() + ": the number of bytes overflows");
  if (static_cast<int64_t>(bytes.size()) != *numBytes)
    return error("expected " + Twine(*numBytes) + " bytes of data for " +
                 type.str() + ", found " + Twine(bytes.size()));
  llvm::Expected<HostTensor> tensor = HostTensor::create(type);
  if (!tensor)
    return tensor;
  if (header->fortranOrder)
    copyFromFortran(bytes.data(), header->shape, getByteWidth(type.element),
                    tensor->getData());
  else
    std::memcpy(tensor->getData(), bytes.data(), bytes.size());
  if (type.element == HostType::I4)
    if (llvm::Error outside = narrowToI4(*tensor, header->descr))
      return std::move(outside);
  // A compiled program may rely on an i1 being 0 or 1.
  if (type.element == HostType::I1)
    for (char &byte : MutableArrayRef<char>(tensor->getData(), bytes.size()))
      byte = byte != 0;
  return tensor;
}

/// Bytes that must be 4-bit integers, signed or not, as a program stores them:
/// with the upper bits clear.
llvm::Error Reader::narrowToI4(HostTensor &tensor, StringRef descr) {
  for (char &byte :
       MutableArrayRef<char>(tensor.getData(), tensor.getBytes().size())) {
    int value = descr.contains('u') ? static_cast<unsigned char>(byte)
                                    : static_cast<signed char>(byte);
    if (value < -8 || value > 15)
      return error("expected values of i4, -8 to 15, found " + Twine(value));
    byte = static_cast<char>(value & 15);
  }
  return llvm::Error::success();
}

llvm::Expected<HostTensor> quantmlir::parseNpy(StringRef path, StringRef bytes,
                                               const HostTensorType &expected) {
  return Reader(path, expected).read(bytes);
}

llvm::Expected<SmallVector<int64_t>> quantmlir::parseNpyShape(StringRef path,
                                                              StringRef bytes) {
  HostTensorType any;
  auto header = Reader(path, any).readHeader(bytes);
  if (!header)
    return header.takeError();
  return std::move(header->shape);
}

llvm::Expected<HostTensor> quantmlir::readNpy(StringRef path,
                                              const HostTensorType &expected) {
  auto file = openBytes(path);
  if (!file)
    return file.takeError();
  return parseNpy(path, (*file)->getBuffer(), expected);
}

llvm::Expected<SmallVector<int64_t>> quantmlir::readNpyShape(StringRef path) {
  auto file = openBytes(path);
  if (!file)
    return file.takeError();
  return parseNpyShape(path, (*file)->getBuffer());
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static std::string makeHeader(const HostTensorType &type) {
  std::string dict;
  llvm::raw_string_ostream os(dict);
  os << "{'descr': '" << getDescr(type.element)
     << "', 'fortran_order': False, 'shape': (";
  llvm::interleave(type.shape, os, ", ");
  os << (type.shape.size() == 1 ? ",), }" : "), }");
  // The data starts at a multiple of 64 bytes. Version 2 has a longer length.
  auto pad = [&](size_t prefix) {
    size_t total = llvm::alignTo(prefix + dict.size() + 1, 64);
    return total - prefix;
  };
  size_t length = pad(kMagic.size() + 4);
  bool isVersion1 = length <= std::numeric_limits<uint16_t>::max();
  if (!isVersion1)
    length = pad(kMagic.size() + 6);
  std::string header = kMagic.str();
  header += isVersion1 ? '\1' : '\2';
  header += '\0';
  for (unsigned i = 0, e = isVersion1 ? 2 : 4; i < e; ++i)
    header += static_cast<char>(length >> (8 * i));
  dict.append(length - dict.size() - 1, ' ');
  return header + dict + "\n";
}

void quantmlir::printNpy(const HostTensor &tensor, llvm::raw_ostream &os) {
  os << makeHeader(tensor.getType());
  os.write(tensor.getBytes().data(), tensor.getBytes().size());
}

llvm::Error quantmlir::writeNpyFiles(StringRef dir,
                                     ArrayRef<HostTensor> tensors) {
  if (std::error_code code = llvm::sys::fs::create_directories(dir))
    return llvm::createStringError(dir + ": " + code.message());
  std::vector<std::pair<llvm::sys::fs::TempFile, std::string>> files;
  llvm::Error failure = llvm::Error::success();
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    SmallString<128> path = dir;
    llvm::sys::path::append(path, "out" + Twine(i) + ".npy");
    llvm::Expected<llvm::sys::fs::TempFile> temp =
        llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
    if (!temp) {
      failure = llvm::joinErrors(std::move(failure),
                                 llvm::createFileError(path, temp.takeError()));
      break;
    }
    llvm::raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
    printNpy(tensor, os);
    os.flush();
    std::error_code code = os.error();
    os.clear_error();
    files.emplace_back(std::move(*temp), path.str().str());
    if (code) {
      failure = llvm::joinErrors(std::move(failure),
                                 llvm::createFileError(path, code));
      break;
    }
  }
  bool failed = static_cast<bool>(failure);
  for (auto &[temp, path] : files)
    failure = llvm::joinErrors(std::move(failure),
                               failed ? temp.discard() : temp.keep(path));
  return failure;
}
