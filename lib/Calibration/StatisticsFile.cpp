//===- StatisticsFile.cpp - statistics as JSON ----------------------------===//

#include "quant/Calibration/Observers.h"
#include "quant/Calibration/Statistics.h"
#include "quant/Support/Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace quantmlir;
namespace json = llvm::json;

static constexpr int64_t kVersion = 1;
/// What is written for readers of the file; chooseRange works on histograms.
static constexpr double kPercentiles[] = {99, 99.9, 99.99, 99.999};

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static json::Value toJson(std::optional<int64_t> size) {
  return size ? json::Value(*size) : json::Value(nullptr);
}

/// Members in the order in which they are written: for readers, the short ones
/// come first, a line each.
using Members = std::vector<std::pair<llvm::StringRef, json::Value>>;

/// Without the empty bins on either side.
static json::Object toJson(const Histogram &histogram) {
  llvm::ArrayRef<int64_t> counts = histogram.counts;
  int64_t first = 0;
  while (!counts.empty() && counts.back() == 0)
    counts = counts.drop_back();
  while (!counts.empty() && counts.front() == 0) {
    counts = counts.drop_front();
    ++first;
  }
  return json::Object{{"limit", histogram.limit},
                      {"bins", Histogram::kNumBins},
                      {"zeros", histogram.zeros},
                      {"first", first},
                      {"counts", json::Array(counts)}};
}

/// Symmetric scales that an observer chooses, by number of bits.
static json::Object getScales(const MatmulStatistics &matmul,
                              RangeObserver observer) {
  json::Object scales;
  for (unsigned bits : {8u, 4u}) {
    RangeOptions options;
    options.observer = observer;
    options.bits = bits;
    int64_t qmax = (int64_t(1) << (bits - 1)) - 1;
    StaticQParams params = chooseStaticQParams(chooseRange(matmul, options),
                                               -qmax - 1, qmax, true);
    scales[std::to_string(bits)] = params.scale;
  }
  return scales;
}

static json::Object getPercentiles(const MatmulStatistics &matmul) {
  json::Object percentiles;
  for (double percentile : kPercentiles) {
    RangeOptions options;
    options.observer = RangeObserver::Percentile;
    options.symmetric = false;
    options.percentile = percentile;
    ObservedRange range = chooseRange(matmul, options);
    std::string key;
    llvm::raw_string_ostream(key) << llvm::format("%g", percentile);
    percentiles[key] = json::Array{range.min, range.max};
  }
  return percentiles;
}

/// What an observer saw as a whole.
static Members getRangeMembers(const MatmulStatistics &matmul) {
  return {{"inputs", matmul.numInputs},
          {"rows", matmul.numRows},
          {"min", matmul.min},
          {"max", matmul.max},
          {"moving_min", matmul.movingMin},
          {"moving_max", matmul.movingMax},
          {"percentile", getPercentiles(matmul)},
          {"mse_scale", getScales(matmul, RangeObserver::Mse)},
          {"kl_scale", getScales(matmul, RangeObserver::KL)}};
}

static json::Array getRotated(const MatmulStatistics &matmul) {
  json::Array all;
  for (const MatmulStatistics &rotated : matmul.rotated) {
    json::Object object{{"rotation", rotated.rotation},
                        {"histogram", toJson(rotated.histogram)}};
    for (auto &member : getRangeMembers(rotated))
      object[member.first] = std::move(member.second);
    all.push_back(std::move(object));
  }
  return all;
}

static Members getMembers(const MatmulStatistics &matmul,
                          llvm::StringRef folder) {
  Members members = {{"name", matmul.shape.name},
                     {"location", matmul.location},
                     {"m", toJson(matmul.shape.m)},
                     {"k", toJson(matmul.shape.k)},
                     {"n", toJson(matmul.shape.n)}};
  llvm::append_range(members, getRangeMembers(matmul));
  if (!matmul.secondMoment.empty()) {
    llvm::StringRef path = matmul.secondMoment;
    if (!folder.empty() && path.consume_front(folder))
      path = path.ltrim('/');
    members.emplace_back("second_moment", path);
  }
  members.emplace_back("channel_absmax", json::Array(matmul.channelAbsMax));
  members.emplace_back("histogram", toJson(matmul.histogram));
  if (!matmul.rotated.empty())
    members.emplace_back("rotated", getRotated(matmul));
  return members;
}

static void print(const Members &members, llvm::raw_ostream &os) {
  llvm::interleave(
      members,
      [&](const auto &member) {
        os << json::Value(member.first) << ": " << member.second;
      },
      [&] { os << ",\n"; });
}

void quantmlir::printStatistics(llvm::StringRef path,
                                const Statistics &statistics,
                                llvm::raw_ostream &os) {
  os << "{";
  print({{"version", kVersion},
         {"model", statistics.model},
         {"inputs", statistics.numInputs}},
        os);
  os << ",\n\"matmuls\": [";
  llvm::interleave(
      statistics.matmuls,
      [&](const MatmulStatistics &matmul) {
        os << "\n{";
        print(getMembers(matmul, llvm::sys::path::parent_path(path)), os);
        os << "}";
      },
      [&] { os << ","; });
  os << "]}\n";
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads the members of one object. The first problem is kept, and what is
/// read after it is of no use.
class ObjectReader {
public:
  ObjectReader(const json::Value &value, std::string where,
               std::string &problem)
      : object(value.getAsObject()), where(std::move(where)), problem(problem) {
    if (!object)
      complain("", "an object");
  }

  int64_t getCount(llvm::StringRef key) {
    const json::Value *value = find(key);
    std::optional<int64_t> number =
        value ? value->getAsInteger() : std::nullopt;
    if (!number || *number < 0)
      return complain(key, "a whole number of at least 0"), 0;
    return *number;
  }
  std::optional<int64_t> getSize(llvm::StringRef key) {
    const json::Value *value = find(key);
    if (value && value->kind() == json::Value::Null)
      return std::nullopt;
    std::optional<int64_t> number =
        value ? value->getAsInteger() : std::nullopt;
    if (!number || *number < 1)
      complain(key, "a size of at least 1, or null");
    return number;
  }
  double getNumber(llvm::StringRef key) {
    const json::Value *value = find(key);
    std::optional<double> number = value ? value->getAsNumber() : std::nullopt;
    if (!number || !std::isfinite(*number))
      return complain(key, "a finite number"), 0;
    return *number;
  }
  std::string getString(llvm::StringRef key, bool isOptional = false) {
    const json::Value *value = find(key);
    if (!value && isOptional)
      return "";
    std::optional<llvm::StringRef> text =
        value ? value->getAsString() : std::nullopt;
    if (!text)
      return complain(key, "a string"), "";
    return text->str();
  }
  const json::Array &getArray(llvm::StringRef key) {
    static const json::Array none;
    const json::Value *value = find(key);
    const json::Array *array = value ? value->getAsArray() : nullptr;
    if (!array)
      return complain(key, "an array"), none;
    return *array;
  }
  const json::Value &getValue(llvm::StringRef key) {
    static const json::Value none = nullptr;
    const json::Value *value = find(key);
    return value ? *value : none;
  }
  std::string getPath(llvm::StringRef key) const {
    return where.empty() ? key.str() : where + "." + key.str();
  }

  /// Keeps that member `key` is not what was expected.
  void complain(llvm::StringRef key, const llvm::Twine &expected) {
    if (!problem.empty())
      return;
    std::string path = key.empty() ? where : getPath(key);
    const json::Value *value = object && !key.empty() ? find(key) : nullptr;
    std::string found = "nothing";
    if (value) {
      found.clear();
      llvm::raw_string_ostream(found) << *value;
      if (found.size() > 40)
        found = found.substr(0, 37) + "...";
    }
    problem = ((path.empty() ? "" : path + ": ") + "expected " + expected +
               ", found " + (object || key.size() ? found : "something else"))
                  .str();
  }

private:
  const json::Value *find(llvm::StringRef key) const {
    return object ? object->get(key) : nullptr;
  }

  const json::Object *object;
  std::string where;
  std::string &problem;
};

} // namespace

static void read(ObjectReader &reader, Histogram &histogram) {
  histogram.limit = reader.getNumber("limit");
  histogram.zeros = reader.getCount("zeros");
  if (reader.getCount("bins") != Histogram::kNumBins)
    reader.complain("bins", llvm::Twine(Histogram::kNumBins));
  int64_t first = reader.getCount("first");
  const json::Array &counts = reader.getArray("counts");
  if (histogram.limit < 0)
    reader.complain("limit", "a number of at least 0");
  auto numCounts = static_cast<int64_t>(counts.size());
  if (first > Histogram::kNumBins - numCounts ||
      (histogram.limit == 0 && numCounts))
    return reader.complain("counts",
                           "at most as many counts as there are bins");
  if (histogram.limit == 0)
    return;
  histogram.counts.assign(Histogram::kNumBins, 0);
  for (auto [i, value] : llvm::enumerate(counts)) {
    std::optional<int64_t> count = value.getAsInteger();
    if (!count || *count < 0)
      return reader.complain("counts", "whole numbers of at least 0");
    histogram.counts[first + i] = *count;
  }
}

/// What an observer saw as a whole.
static void readRange(ObjectReader &reader, std::string &problem,
                      MatmulStatistics &matmul) {
  matmul.numInputs = reader.getCount("inputs");
  matmul.numRows = reader.getCount("rows");
  matmul.min = reader.getNumber("min");
  matmul.max = reader.getNumber("max");
  matmul.movingMin = reader.getNumber("moving_min");
  matmul.movingMax = reader.getNumber("moving_max");
  if (matmul.max < matmul.min)
    reader.complain("max", "at least min");
  ObjectReader histogram(reader.getValue("histogram"),
                         reader.getPath("histogram"), problem);
  read(histogram, matmul.histogram);
}

static void readRotated(ObjectReader &reader, std::string &problem,
                        MatmulStatistics &matmul) {
  if (reader.getValue("rotated").kind() == json::Value::Null)
    return;
  for (auto [i, value] : llvm::enumerate(reader.getArray("rotated"))) {
    MatmulStatistics rotated;
    ObjectReader member(
        value, reader.getPath("rotated[" + std::to_string(i) + "]"), problem);
    rotated.rotation = member.getString("rotation");
    readRange(member, problem, rotated);
    matmul.rotated.push_back(std::move(rotated));
  }
}

static void read(ObjectReader &reader, std::string &problem,
                 llvm::StringRef folder, MatmulStatistics &matmul) {
  matmul.shape.name = reader.getString("name");
  matmul.location = reader.getString("location", /*isOptional=*/true);
  matmul.shape.m = reader.getSize("m");
  matmul.shape.k = reader.getSize("k");
  matmul.shape.n = reader.getSize("n");
  readRange(reader, problem, matmul);
  for (const json::Value &value : reader.getArray("channel_absmax")) {
    std::optional<double> number = value.getAsNumber();
    if (!number || !(*number >= 0) || !std::isfinite(*number))
      return reader.complain("channel_absmax", "finite numbers of at least 0");
    matmul.channelAbsMax.push_back(static_cast<float>(*number));
  }
  if (matmul.shape.k &&
      static_cast<int64_t>(matmul.channelAbsMax.size()) != *matmul.shape.k)
    reader.complain("channel_absmax",
                    "k = " + llvm::Twine(*matmul.shape.k) + " numbers");
  readRotated(reader, problem, matmul);
  matmul.secondMoment = reader.getString("second_moment", /*isOptional=*/true);
  if (!matmul.secondMoment.empty() &&
      !llvm::sys::path::is_absolute(matmul.secondMoment)) {
    llvm::SmallString<128> full = folder;
    llvm::sys::path::append(full, matmul.secondMoment);
    matmul.secondMoment = full.str().str();
  }
}

llvm::Expected<Statistics> quantmlir::readStatistics(llvm::StringRef path) {
  auto file = openJson(path);
  if (!file)
    return llvm::createStringError(path + ": " +
                                   llvm::toString(file.takeError()));
  llvm::Expected<json::Value> root = parseJson((*file)->getBuffer());
  if (!root)
    return llvm::createStringError(path + ": expected a statistics file: " +
                                   llvm::toString(root.takeError()));
  Statistics statistics;
  std::string problem;
  ObjectReader reader(*root, "", problem);
  if (problem.empty() && reader.getCount("version") != kVersion)
    reader.complain("version", llvm::Twine(kVersion));
  statistics.model = reader.getString("model");
  statistics.numInputs = reader.getCount("inputs");
  for (auto [i, value] : llvm::enumerate(reader.getArray("matmuls"))) {
    MatmulStatistics matmul;
    ObjectReader member(value, "matmuls[" + std::to_string(i) + "]", problem);
    read(member, problem, llvm::sys::path::parent_path(path), matmul);
    if (!problem.empty())
      break;
    if (statistics.find(matmul.shape.name))
      member.complain("name", "a name that no other matmul has");
    statistics.matmuls.push_back(std::move(matmul));
  }
  if (!problem.empty())
    return llvm::createStringError(path + ": " + problem);
  return statistics;
}
