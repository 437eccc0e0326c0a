//===- ScheduleFile.cpp - measured schedules of matmuls -------------------===//

#include "quant/Target/CPU/Schedule/ScheduleFile.h"

#include "quant/Support/Json.h"
#include "quant/Target/CPU/Schedule/RegisterTile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

static constexpr int64_t kVersion = 1;

/// The row of vector registers with this name, or null.
static const qtarget::KernelRow *findRow(MLIRContext *context, StringRef name) {
  qtarget::MatmulKernelInterface kernel = qtarget::findKernel(context, name);
  return kernel && !kernel.getRow().packsLhs ? &kernel.getRow() : nullptr;
}

llvm::Error quantmlir::verifySchedule(MLIRContext *context,
                                      const TunedSchedule &schedule) {
  const qtarget::KernelRow *row = findRow(context, schedule.instruction);
  if (!row)
    return llvm::createStringError(
        "'instruction': expected one of vector registers, found '" +
        schedule.instruction + "'");
  auto expected = [](StringRef field, const Twine &what, int64_t found) {
    return llvm::createStringError("'" + field + "': expected " + what +
                                   ", found " + Twine(found));
  };
  if (schedule.columns < row->n || schedule.columns % row->n != 0)
    return expected("columns", "a multiple of " + Twine(row->n),
                    schedule.columns);
  int64_t most = getMaxTileRows(*row, schedule.columns / row->n);
  if (schedule.rows < 1 || schedule.rows > most)
    return expected("rows",
                    "1 to " + Twine(most) + " with " + Twine(schedule.columns) +
                        " columns",
                    schedule.rows);
  if (schedule.blockM < 0 || schedule.blockM % schedule.rows != 0)
    return expected("blockM", "a multiple of " + Twine(schedule.rows),
                    schedule.blockM);
  if (schedule.blockK < 0 || schedule.blockK % (2 * row->k) != 0)
    return expected("blockK", "a multiple of " + Twine(2 * row->k),
                    schedule.blockK);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static llvm::Expected<TunedSchedule> parseSchedule(MLIRContext *context,
                                                   const json::Value &value) {
  json::Path::Root root;
  TunedSchedule schedule;
  std::optional<int64_t> m, n, k;
  json::ObjectMapper map(value, root);
  // A size that is not known is null; a missing one is an error.
  const json::Object *object = value.getAsObject();
  for (StringRef size : {"m", "n", "k"})
    if (object && !object->get(size))
      return llvm::createStringError("missing value at '" + size + "'");
  if (!map || !map.map("instruction", schedule.instruction) ||
      !map.map("m", m) || !map.map("n", n) || !map.map("k", k) ||
      !map.map("rows", schedule.rows) ||
      !map.map("columns", schedule.columns) ||
      !map.map("blockM", schedule.blockM) ||
      !map.map("blockK", schedule.blockK))
    return root.getError();
  schedule.sizes = {m.value_or(ShapedType::kDynamic),
                    n.value_or(ShapedType::kDynamic),
                    k.value_or(ShapedType::kDynamic)};
  if (llvm::Error error = verifySchedule(context, schedule))
    return std::move(error);
  return schedule;
}

static llvm::Expected<ScheduleFile> parse(MLIRContext *context,
                                          const json::Value &value) {
  const json::Object *root = value.getAsObject();
  if (!root)
    return llvm::createStringError("expected an object");
  if (root->getInteger("version") != kVersion)
    return llvm::createStringError("'version': expected " + Twine(kVersion));
  ScheduleFile file;
  file.cpu = root->getString("cpu").value_or("").str();
  const json::Array *list = root->getArray("schedules");
  if (!list)
    return llvm::createStringError("'schedules': expected a list");
  for (auto [i, element] : llvm::enumerate(*list)) {
    auto schedule = parseSchedule(context, element);
    if (!schedule)
      return llvm::createStringError("'schedules'[" + Twine(i) + "]: " +
                                     llvm::toString(schedule.takeError()));
    file.schedules.push_back(std::move(*schedule));
  }
  return file;
}

llvm::Expected<ScheduleFile> ScheduleFile::read(MLIRContext *context,
                                                StringRef path) {
  auto inFile = [&](llvm::Error error) {
    return llvm::createStringError("schedules '" + path +
                                   "': " + llvm::toString(std::move(error)));
  };
  auto text = openJson(path);
  if (!text)
    return inFile(text.takeError());
  auto value = parseJson((*text)->getBuffer());
  if (!value)
    return inFile(value.takeError());
  auto file = parse(context, *value);
  if (!file)
    return inFile(file.takeError());
  return file;
}

//===----------------------------------------------------------------------===//
// Writing and asking
//===----------------------------------------------------------------------===//

void ScheduleFile::print(raw_ostream &os) const {
  auto size = [](int64_t size) -> std::string {
    return ShapedType::isDynamic(size) ? "null" : std::to_string(size);
  };
  os << "{\"version\": " << kVersion << ", \"cpu\": " << json::Value(cpu)
     << ", \"schedules\": [";
  llvm::interleave(
      schedules,
      [&](const TunedSchedule &s) {
        os << "\n  {\"instruction\": " << json::Value(s.instruction)
           << ", \"m\": " << size(s.sizes.m) << ", \"n\": " << size(s.sizes.n)
           << ", \"k\": " << size(s.sizes.k) << ",\n   \"rows\": " << s.rows
           << ", \"columns\": " << s.columns << ", \"blockM\": " << s.blockM
           << ", \"blockK\": " << s.blockK << "}";
      },
      [&] { os << ","; });
  os << "\n]}\n";
}

const TunedSchedule *ScheduleFile::find(const qtarget::KernelRow &row,
                                        MatmulSizes sizes) const {
  auto found = llvm::find_if(schedules, [&](const TunedSchedule &s) {
    return s.instruction == row.name && s.sizes == sizes;
  });
  return found == schedules.end() ? nullptr : &*found;
}
