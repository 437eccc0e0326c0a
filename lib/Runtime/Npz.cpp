//===- Npz.cpp - NumPy's archive of arrays --------------------------------===//

#include "quant/Runtime/Npz.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

#include <zlib.h>

using namespace quantmlir;
using llvm::StringRef;
using llvm::Twine;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;

namespace {

/// Sizes of the records without their variable parts.
constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;
constexpr uint32_t kIn64BitRecord = 0xffffffff;

/// Reads one archive, with the file's name in front of each message.
class Archive {
public:
  Archive(StringRef path, StringRef bytes) : path(path), bytes(bytes) {}

  llvm::Expected<std::vector<NpzMember>> read();

private:
  llvm::Error error(const Twine &message) const {
    return llvm::createStringError(path + ": " + message);
  }
  llvm::Expected<NpzMember> readMember(StringRef &directory) const;
  llvm::Expected<std::string> inflate(StringRef packed, uint32_t size) const;

  StringRef path, bytes;
};

} // namespace

llvm::Expected<std::string> Archive::inflate(StringRef packed,
                                             uint32_t size) const {
  std::string plain(size, '\0');
  z_stream stream = {};
  // Negative: a bare deflate stream, as zip has it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return error("out of memory");
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = packed.size();
  stream.next_out = reinterpret_cast<Bytef *>(plain.data());
  stream.avail_out = size;
  int status = ::inflate(&stream, Z_FINISH);
  bool isWhole = status == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!isWhole)
    return error("the archive is damaged: a member does not inflate to the " +
                 Twine(size) + " bytes that it should have");
  return plain;
}

/// Takes an entry off the front of the central directory.
llvm::Expected<NpzMember> Archive::readMember(StringRef &directory) const {
  if (directory.size() < kEntrySize || !directory.starts_with("PK\1\2"))
    return error("the archive is damaged: its directory ends too early");
  const char *entry = directory.data();
  uint16_t flags = read16le(entry + 8), method = read16le(entry + 10);
  uint32_t checksum = read32le(entry + 16), packedSize = read32le(entry + 20),
           size = read32le(entry + 24), offset = read32le(entry + 42);
  size_t nameSize = read16le(entry + 28);
  size_t whole =
      kEntrySize + nameSize + read16le(entry + 30) + read16le(entry + 32);
  if (directory.size() < whole)
    return error("the archive is damaged: its directory ends too early");
  NpzMember member;
  member.name = directory.substr(kEntrySize, nameSize).str();
  directory = directory.drop_front(whole);
  auto memberError = [&](const Twine &message) {
    return error("member '" + member.name + "': " + message);
  };
  if (flags & 1)
    return memberError("it is encrypted");
  if (method != 0 && method != Z_DEFLATED)
    return memberError("expected a stored or deflated one, found method " +
                       Twine(method));
  if (size == kIn64BitRecord || packedSize == kIn64BitRecord ||
      offset == kIn64BitRecord)
    return memberError("expected less than 4 GiB");
  StringRef local = bytes.drop_front(std::min<size_t>(offset, bytes.size()));
  if (local.size() < kLocalSize || !local.starts_with("PK\3\4"))
    return memberError("the archive is damaged: it is not where it should be");
  size_t start =
      kLocalSize + read16le(local.data() + 26) + read16le(local.data() + 28);
  StringRef packed = local.substr(start, packedSize);
  if (packed.size() != packedSize || (method == 0 && size != packedSize))
    return memberError("the archive is damaged: it ends too early");
  if (method == 0) {
    member.bytes = packed.str();
  } else {
    llvm::Expected<std::string> plain = inflate(packed, size);
    if (!plain)
      return plain.takeError();
    member.bytes = std::move(*plain);
  }
  if (llvm::crc32(llvm::arrayRefFromStringRef(member.bytes)) != checksum)
    return memberError("the archive is damaged: its checksum is another one");
  StringRef name = member.name;
  if (name.consume_back(".npy"))
    member.name = name.str();
  return member;
}

llvm::Expected<std::vector<NpzMember>> Archive::read() {
  // The end record is the last, but for a comment.
  size_t end = bytes.rfind("PK\5\6");
  if (end == StringRef::npos || bytes.size() - end < kEndSize)
    return error("expected an NPZ file, found no zip directory");
  const char *record = bytes.data() + end;
  uint16_t count = read16le(record + 10);
  uint32_t offset = read32le(record + 16);
  StringRef directory =
      bytes.drop_front(std::min<size_t>(offset, bytes.size()));
  std::vector<NpzMember> members;
  for (uint16_t i = 0; i < count; ++i) {
    llvm::Expected<NpzMember> member = readMember(directory);
    if (!member)
      return member.takeError();
    members.push_back(std::move(*member));
  }
  return members;
}

llvm::Expected<std::vector<NpzMember>> quantmlir::readNpz(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createStringError(path + ": " + file.getError().message());
  return Archive(path, (*file)->getBuffer()).read();
}
