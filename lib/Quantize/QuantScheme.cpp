//===- QuantScheme.cpp - how matmuls are quantized ------------------------===//

#include "quant/Quantize/QuantScheme.h"

#include "OptionText.h"
#include "Presets.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace quantmlir;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static constexpr OptionChoice<WeightScheme::Granularity> kGranularities[] = {
    {"tensor", WeightScheme::Granularity::Tensor},
    {"channel", WeightScheme::Granularity::Channel},
    {"group", WeightScheme::Granularity::Group}};

static constexpr OptionChoice<WeightFormat> kWeightFormats[] = {
    {"int", WeightFormat::Int},        {"mxfp4", WeightFormat::MXFP4},
    {"nvfp4", WeightFormat::NVFP4},    {"mxint8", WeightFormat::MXINT8},
    {"iq4_nl", WeightFormat::IQ4_NL},  {"nf4", WeightFormat::NF4},
    {"ternary", WeightFormat::Ternary}};

static constexpr OptionChoice<WeightScheme::ScaleSearch> kScaleSearches[] = {
    {"absmax", WeightScheme::ScaleSearch::AbsMax},
    {"mse", WeightScheme::ScaleSearch::MSE},
    {"full-range", WeightScheme::ScaleSearch::FullRange},
    {"full-range-mse", WeightScheme::ScaleSearch::FullRangeMSE},
    {"absmean", WeightScheme::ScaleSearch::AbsMean}};

static constexpr OptionChoice<WeightScales> kScaleTypes[] = {
    {"f32", WeightScales::F32},
    {"f16", WeightScales::F16},
    {"bf16", WeightScales::BF16}};

static constexpr OptionChoice<WeightScheme::Rounding> kRoundings[] = {
    {"nearest", WeightScheme::Rounding::Nearest},
    {"error-compensated", WeightScheme::Rounding::ErrorCompensated}};

static constexpr OptionChoice<ActivationScheme> kActivations[] = {
    {"dynamic-tensor", ActivationScheme::DynamicTensor},
    {"dynamic-token", ActivationScheme::DynamicToken},
    {"dynamic-block", ActivationScheme::DynamicBlock},
    {"static", ActivationScheme::Static},
    {"float", ActivationScheme::Float}};

static constexpr OptionChoice<ActivationScales> kActivationScales[] = {
    {"f32", ActivationScales::F32},   {"f16", ActivationScales::F16},
    {"bf16", ActivationScales::BF16}, {"e8m0", ActivationScales::E8M0},
    {"q8_0", ActivationScales::Q8_0}, {"mlas", ActivationScales::MLAS}};

static constexpr OptionChoice<RangeObserver> kObservers[] = {
    {"minmax", RangeObserver::MinMax},
    {"moving-average", RangeObserver::MovingAverage},
    {"percentile", RangeObserver::Percentile},
    {"mse", RangeObserver::Mse},
    {"kl", RangeObserver::KL}};

static constexpr OptionChoice<RotationScheme> kRotations[] = {
    {"none", RotationScheme::None},
    {"hadamard32", RotationScheme::Hadamard32},
    {"hadamard128", RotationScheme::Hadamard128}};

/// Every option, in the order in which they are printed; Passes.td says what
/// they mean.
template <typename Scheme, typename Visitor>
static void visitScheme(Scheme &scheme, Visitor &visit) {
  auto &weight = scheme.weight;
  visit("weight-format", weight.format, llvm::ArrayRef(kWeightFormats));
  visit("weights", weight.granularity, llvm::ArrayRef(kGranularities));
  visit("weight-bits", weight.bits);
  visit("group-size", weight.groupSize);
  visit("weight-symmetric", weight.symmetric);
  visit("weight-scale", weight.scaleSearch, llvm::ArrayRef(kScaleSearches));
  visit("scale-type", weight.scaleType, llvm::ArrayRef(kScaleTypes));
  visit("rounding", weight.rounding, llvm::ArrayRef(kRoundings));
  visit("damping", weight.damping);
  visit("activation-order", weight.activationOrder);
  visit("activations", scheme.activations, llvm::ArrayRef(kActivations));
  visit("activation-bits", scheme.activationBits);
  visit("block-size", scheme.blockSize);
  visit("activation-scales", scheme.activationScales,
        llvm::ArrayRef(kActivationScales));
  visit("symmetric", scheme.symmetric);
  visit("observer", scheme.observer, llvm::ArrayRef(kObservers));
  visit("rotation", scheme.rotation, llvm::ArrayRef(kRotations));
  visit("rotation-seed", scheme.rotationSeed);
  visit("attention", scheme.attention);
  visit("stats", scheme.stats);
}

template <typename Request, typename Visitor>
static void visitRequest(Request &request, Visitor &visit) {
  visitScheme(request.scheme, visit);
  visit("include", request.include);
  visit("exclude", request.exclude);
  visit("recipe", request.recipe);
  visit("report", request.report);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static llvm::Error verifyBits(StringRef name, unsigned bits,
                              llvm::ArrayRef<unsigned> choices,
                              StringRef expected) {
  if (llvm::is_contained(choices, bits))
    return llvm::Error::success();
  return llvm::createStringError("option '" + name + "': expected " + expected +
                                 ", found " + llvm::Twine(bits));
}

static StringRef getFormatName(WeightFormat format) {
  for (const auto &choice : kWeightFormats)
    if (choice.value == format)
      return choice.word;
  llvm_unreachable("every format has a word");
}

/// What a format of weights says, other options may say as well.
static llvm::Error verifyFormat(const WeightScheme &weight) {
  using Search = WeightScheme::ScaleSearch;
  bool isTernary = weight.format == WeightFormat::Ternary;
  if (!isTernary && weight.scaleSearch == Search::AbsMean)
    return llvm::createStringError("option 'weight-scale=absmean': expected "
                                   "'weight-format=ternary'");
  bool hasOwnType = weight.scaleType != WeightScales::F32;
  if (hasOwnType && weight.granularity != WeightScheme::Granularity::Group)
    return llvm::createStringError(
        "option 'scale-type': expected 'f32' without 'weights=group'");
  if (weight.format == WeightFormat::Int)
    return llvm::Error::success();
  if (hasOwnType)
    return llvm::createStringError(
        "option 'scale-type': expected 'f32' with 'weight-format=" +
        getFormatName(weight.format) + "', which has its own scales");
  const WeightFormatRow &row = getFormatRow(weight.format);
  std::string option =
      "option 'weight-format=" + getFormatName(weight.format).str() + "': ";
  if (weight.bits != row.bits)
    return llvm::createStringError(
        option + "expected 'weight-bits=" + llvm::Twine(row.bits) +
        "', found " + llvm::Twine(weight.bits));
  if (!isTernary && weight.granularity != WeightScheme::Granularity::Group)
    return llvm::createStringError(option + "expected 'weights=group'");
  if (row.hasFixedGroups && weight.groupSize != row.groupSize)
    return llvm::createStringError(
        option + "expected 'group-size=" + llvm::Twine(row.groupSize) +
        "', found " + llvm::Twine(weight.groupSize));
  if (!weight.symmetric)
    return llvm::createStringError(option + "expected 'weight-symmetric=true'");
  if (isTernary && weight.scaleSearch != Search::AbsMean &&
      weight.scaleSearch != Search::MSE)
    return llvm::createStringError(
        option + "expected 'weight-scale=absmean' or 'weight-scale=mse'");
  if (weight.isFullRange())
    return llvm::createStringError(
        option + "expected 'weight-scale=absmax' or 'weight-scale=mse'");
  return llvm::Error::success();
}

/// What blocks of activations need, and what needs them.
static llvm::Error verifyBlocks(const QuantScheme &scheme) {
  if (scheme.blockSize <= 0)
    return llvm::createStringError(
        "option 'block-size': expected more than 0, found " +
        llvm::Twine(scheme.blockSize));
  ActivationScales scales = scheme.activationScales;
  if (!scheme.hasBlocks() && scales != ActivationScales::F32)
    return llvm::createStringError("option 'activation-scales': expected 'f32' "
                                   "without 'activations=dynamic-block'");
  if (!scheme.hasBlocks())
    return llvm::Error::success();
  if (!scheme.symmetric)
    return llvm::createStringError(
        "option 'activations=dynamic-block': blocks have no zero points, "
        "expected 'symmetric=true'");
  if (scales == ActivationScales::Q8_0 &&
      (scheme.activationBits != 8 || scheme.blockSize != 32))
    return llvm::createStringError(
        "option 'activation-scales=q8_0': expected 'activation-bits=8' and "
        "'block-size=32', found " +
        llvm::Twine(scheme.activationBits) + " and " +
        llvm::Twine(scheme.blockSize));
  if (scales == ActivationScales::MLAS && scheme.activationBits != 8)
    return llvm::createStringError("option 'activation-scales=mlas': expected "
                                   "'activation-bits=8', found " +
                                   llvm::Twine(scheme.activationBits));
  return llvm::Error::success();
}

llvm::Error QuantScheme::verify() const {
  if (llvm::Error error = verifyBlocks(*this))
    return error;
  if (llvm::Error error = verifyFormat(weight))
    return error;
  if (llvm::Error error = verifyBits("weight-bits", weight.bits,
                                     {8, 6, 4, 3, 2}, "8, 6, 4, 3 or 2"))
    return error;
  if (llvm::Error error =
          verifyBits("activation-bits", activationBits, {8, 4}, "8 or 4"))
    return error;
  if (weight.groupSize <= 0)
    return llvm::createStringError(
        "option 'group-size': expected more than 0, found " +
        llvm::Twine(weight.groupSize));
  if (!(weight.damping >= 0 && weight.damping <= 1))
    return llvm::createStringError(
        "option 'damping': expected a number from 0 to 1, found " +
        std::to_string(weight.damping));
  if (rotationSeed < 0 || rotationSeed > std::numeric_limits<int32_t>::max())
    return llvm::createStringError(
        "option 'rotation-seed': expected a number from 0 to 2147483647, "
        "found " +
        llvm::Twine(rotationSeed));
  if (weight.isFullRange() && !weight.symmetric)
    return llvm::createStringError(
        "option 'weight-scale': full-range scales choose their zero points, "
        "expected 'weight-symmetric=true'");
  if (weight.rounding == WeightScheme::Rounding::ErrorCompensated &&
      stats.empty())
    return llvm::createStringError(
        "option 'rounding=error-compensated' needs 'stats'");
  return llvm::Error::success();
}

Rotation QuantScheme::getRotation() const {
  switch (rotation) {
  case RotationScheme::None:
    return {};
  case RotationScheme::Hadamard32:
    return {32, rotationSeed};
  case RotationScheme::Hadamard128:
    return {128, rotationSeed};
  }
  return {};
}

/// Reads `text` into the fields that `visit` shows, of which `weight` has some.
/// What a format says comes before all other options, wherever they stand.
template <typename Visit>
static llvm::Error readSchemeOptions(StringRef text, WeightScheme &weight,
                                     Visit &&visit) {
  auto options = splitOptions(text);
  if (!options)
    return options.takeError();
  for (const OptionText &option : *options)
    for (const auto &choice : kWeightFormats)
      if (option.name == "weight-format" && option.value == choice.word) {
        weight.format = choice.value;
        weight.adoptFormat();
      }
  return readOptions(text, visit, listPresets());
}

/// Reads the preset that `text` may begin with, and cuts it off. It is the same
/// whatever the scheme was, but for what no preset is about.
static llvm::Error readPreset(StringRef &text, QuantScheme &scheme) {
  const SchemePreset *preset = takePreset(text);
  if (!preset)
    return llvm::Error::success();
  QuantScheme plain;
  plain.stats = scheme.stats;
  plain.observer = scheme.observer;
  plain.attention = scheme.attention;
  scheme = plain;
  return readSchemeOptions(
      preset->options, scheme.weight,
      [&](OptionReader &reader) { visitScheme(scheme, reader); });
}

llvm::Expected<QuantScheme> QuantScheme::parse(StringRef text,
                                               const QuantScheme &base) {
  QuantScheme scheme = base;
  if (llvm::Error error = readPreset(text, scheme))
    return std::move(error);
  auto visit = [&](OptionReader &reader) { visitScheme(scheme, reader); };
  if (llvm::Error error = readSchemeOptions(text, scheme.weight, visit))
    return std::move(error);
  if (llvm::Error error = scheme.verify())
    return std::move(error);
  return scheme;
}

llvm::Expected<std::optional<QuantScheme>>
QuantScheme::parseOrNone(StringRef text, const QuantScheme &base) {
  if (text.trim() == kNoScheme)
    return std::nullopt;
  auto scheme = parse(text, base);
  if (!scheme)
    return scheme.takeError();
  return std::move(*scheme);
}

llvm::Expected<QuantizeRequest> QuantizeRequest::parse(StringRef text) {
  QuantizeRequest request;
  request.text = text.str();
  if (llvm::Error error = readPreset(text, request.scheme))
    return std::move(error);
  auto visit = [&](OptionReader &reader) { visitRequest(request, reader); };
  if (llvm::Error error = readSchemeOptions(text, request.scheme.weight, visit))
    return std::move(error);
  if (llvm::Error error = request.scheme.verify())
    return std::move(error);
  return request;
}

llvm::Expected<std::optional<QuantizeRequest>>
QuantizeRequest::parseOrNone(StringRef text) {
  if (text.trim() == kNoScheme)
    return std::nullopt;
  auto request = parse(text);
  if (!request)
    return request.takeError();
  return std::move(*request);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

using Printed = llvm::ArrayRef<OptionPrinter::Printed>;

/// `name=value` of all that `keep` keeps, told the number of the option.
template <typename Keep>
static std::string join(Printed options, Keep &&keep) {
  std::string text;
  for (size_t i = 0; i < options.size(); ++i)
    if (keep(i))
      text += (text.empty() ? "" : " ") + options[i].name.str() + "=" +
              options[i].value;
  return text;
}

static std::string joinChanged(Printed options, Printed defaults,
                               Printed adopted) {
  return join(options, [&](size_t i) {
    return options[i].value != defaults[i].value ||
           options[i].value != adopted[i].value;
  });
}

/// The defaults as the format of `scheme` changes them when options are read.
static QuantScheme adoptFormat(const QuantScheme &scheme) {
  QuantScheme adopted;
  adopted.weight.format = scheme.weight.format;
  adopted.weight.adoptFormat();
  return adopted;
}

std::string QuantScheme::str() const {
  OptionPrinter own, defaults, adopted;
  const QuantScheme plain, ofFormat = adoptFormat(*this);
  visitScheme(*this, own);
  visitScheme(plain, defaults);
  visitScheme(ofFormat, adopted);
  return joinChanged(own.getPrinted(), defaults.getPrinted(),
                     adopted.getPrinted());
}

/// The bits and the grain of the weight.
static std::string describeWeight(const WeightScheme &weight) {
  std::string text = "W" + std::to_string(weight.bits);
  if (weight.format != WeightFormat::Int)
    text += " " + getFormatName(weight.format).str();
  switch (weight.granularity) {
  case WeightScheme::Granularity::Tensor:
    text += " tensor";
    break;
  case WeightScheme::Granularity::Channel:
    text += " channel";
    break;
  case WeightScheme::Granularity::Group:
    text += " group " + std::to_string(weight.groupSize);
    break;
  }
  return text + (weight.hasZeroPoints() ? " asymmetric" : "");
}

std::string QuantScheme::describe() const {
  std::string text = describeWeight(weight), rotated;
  if (rotation != RotationScheme::None)
    rotated = ", " + getRotation().getName();
  if (isWeightOnly())
    return text + ", A float" + rotated;
  text += ", A" + std::to_string(activationBits);
  switch (activations) {
  case ActivationScheme::Static:
    text += " static tensor";
    break;
  case ActivationScheme::DynamicToken:
    text += " dynamic token";
    break;
  case ActivationScheme::DynamicBlock:
    text += " dynamic block " + std::to_string(blockSize);
    if (activationScales != ActivationScales::F32)
      for (const auto &choice : kActivationScales)
        if (choice.value == activationScales)
          text += " " + choice.word.str();
    break;
  case ActivationScheme::DynamicTensor:
    text += " dynamic tensor";
    break;
  case ActivationScheme::Float:
    llvm_unreachable("weight-only is described above");
  }
  return text + (symmetric ? "" : " asymmetric") + rotated;
}

std::string QuantizeRequest::str() const {
  OptionPrinter own, defaults, adopted;
  const QuantizeRequest plain;
  QuantizeRequest ofFormat;
  ofFormat.scheme = adoptFormat(scheme);
  visitRequest(*this, own);
  visitRequest(plain, defaults);
  visitRequest(ofFormat, adopted);
  return joinChanged(own.getPrinted(), defaults.getPrinted(),
                     adopted.getPrinted());
}

std::string QuantizeRequest::getFullText() const {
  OptionPrinter own;
  visitRequest(*this, own);
  Printed options = own.getPrinted();
  return join(options, [&](size_t i) {
    return !options[i].value.empty() && options[i].name != "report";
  });
}
