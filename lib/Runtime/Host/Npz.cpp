//===- Npz.cpp - NumPy's archive of arrays --------------------------------===//

#include "quant/Runtime/Host/Npz.h"

#include "quant/Support/ForeignFile.h"

#include "llvm/ADT/STLExtras.h"
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

/// What the directory says of a member.
struct Entry {
  std::string name;
  uint16_t flags, method;
  uint32_t checksum, packedSize, size, offset;
};

/// Reads one archive, with the file's name in front of each message.
class Archive {
public:
  Archive(StringRef path, StringRef bytes, size_t limit)
      : path(path), bytes(bytes), limit(limit) {}

  llvm::Expected<std::vector<NpzMember>>
  read(llvm::function_ref<bool(StringRef)> isWanted);

private:
  llvm::Error error(const Twine &message) const {
    return llvm::createStringError(path + ": " + message);
  }
  llvm::Error error(const Entry &entry, const Twine &message) const {
    return error("member '" + entry.name + "': " + message);
  }
  llvm::Expected<Entry> readEntry(StringRef &directory) const;
  llvm::Error verify(const Entry &entry) const;
  /// The bytes of a member as they are stored.
  llvm::Expected<StringRef> findPacked(const Entry &entry) const;
  llvm::Expected<NpzMember> readMember(const Entry &entry,
                                       StringRef packed) const;
  llvm::Expected<std::string> inflate(StringRef packed, uint32_t size) const;

  StringRef path, bytes;
  size_t limit;
};

} // namespace

llvm::Expected<std::string> Archive::inflate(StringRef packed,
                                             uint32_t size) const {
  std::string plain(std::min<size_t>(size, limit), '\0');
  z_stream stream = {};
  // Negative: a bare deflate stream, as zip has it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return error("out of memory");
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = packed.size();
  stream.next_out = reinterpret_cast<Bytef *>(plain.data());
  stream.avail_out = plain.size();
  int status = ::inflate(&stream, Z_FINISH);
  bool isWhole =
      stream.avail_out == 0 && (status == Z_STREAM_END || plain.size() < size);
  inflateEnd(&stream);
  if (!isWhole)
    return error("the archive is damaged: a member does not inflate to the " +
                 Twine(size) + " bytes that it should have");
  return plain;
}

/// Takes an entry off the front of the central directory.
llvm::Expected<Entry> Archive::readEntry(StringRef &directory) const {
  if (directory.size() < kEntrySize || !directory.starts_with("PK\1\2"))
    return error("the archive is damaged: its directory ends too early");
  const char *entry = directory.data();
  size_t nameSize = read16le(entry + 28);
  size_t whole =
      kEntrySize + nameSize + read16le(entry + 30) + read16le(entry + 32);
  if (directory.size() < whole)
    return error("the archive is damaged: its directory ends too early");
  StringRef name = directory.substr(kEntrySize, nameSize);
  name.consume_back(".npy");
  directory = directory.drop_front(whole);
  return Entry{name.str(),           read16le(entry + 8),  read16le(entry + 10),
               read32le(entry + 16), read32le(entry + 20), read32le(entry + 24),
               read32le(entry + 42)};
}

/// It is one that can be read.
llvm::Error Archive::verify(const Entry &entry) const {
  if (entry.flags & 1)
    return error(entry, "it is encrypted");
  if (entry.method != 0 && entry.method != Z_DEFLATED)
    return error(entry, "expected a stored or deflated one, found method " +
                            Twine(entry.method));
  if (entry.size == kIn64BitRecord || entry.packedSize == kIn64BitRecord ||
      entry.offset == kIn64BitRecord)
    return error(entry, "expected less than 4 GiB");
  return llvm::Error::success();
}

llvm::Expected<StringRef> Archive::findPacked(const Entry &entry) const {
  StringRef local =
      bytes.drop_front(std::min<size_t>(entry.offset, bytes.size()));
  if (local.size() < kLocalSize || !local.starts_with("PK\3\4"))
    return error(entry, "the archive is damaged: it is not where it should be");
  size_t start =
      kLocalSize + read16le(local.data() + 26) + read16le(local.data() + 28);
  StringRef packed = local.substr(start, entry.packedSize);
  if (packed.size() != entry.packedSize ||
      (entry.method == 0 && entry.size != entry.packedSize))
    return error(entry, "the archive is damaged: it ends too early");
  return packed;
}

llvm::Expected<NpzMember> Archive::readMember(const Entry &entry,
                                              StringRef packed) const {
  NpzMember member{entry.name, ""};
  if (entry.method == 0) {
    member.bytes = packed.substr(0, limit).str();
  } else {
    llvm::Expected<std::string> plain = inflate(packed, entry.size);
    if (!plain)
      return plain.takeError();
    member.bytes = std::move(*plain);
  }
  if (entry.size <= limit &&
      llvm::crc32(llvm::arrayRefFromStringRef(member.bytes)) != entry.checksum)
    return error(entry, "the archive is damaged: its checksum is another one");
  return member;
}

llvm::Expected<std::vector<NpzMember>>
Archive::read(llvm::function_ref<bool(StringRef)> isWanted) {
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
  std::vector<StringRef> taken;
  for (uint16_t i = 0; i < count; ++i) {
    llvm::Expected<Entry> entry = readEntry(directory);
    if (!entry)
      return entry.takeError();
    if (!isWanted(entry->name))
      continue;
    if (llvm::Error unusual = verify(*entry))
      return std::move(unusual);
    llvm::Expected<StringRef> packed = findPacked(*entry);
    if (!packed)
      return packed.takeError();
    bool isShared = llvm::any_of(taken, [&](StringRef other) {
      return packed->begin() < other.end() && other.begin() < packed->end();
    });
    if (isShared)
      return error(*entry, "its bytes are those of another member");
    taken.push_back(*packed);
    llvm::Expected<NpzMember> member = readMember(*entry, *packed);
    if (!member)
      return member.takeError();
    members.push_back(std::move(*member));
  }
  return members;
}

llvm::Expected<std::vector<NpzMember>>
quantmlir::readNpz(StringRef path, llvm::function_ref<bool(StringRef)> isWanted,
                   size_t limit) {
  auto file = openBytes(path);
  if (!file)
    return file.takeError();
  return Archive(path, (*file)->getBuffer(), limit).read(isWanted);
}
