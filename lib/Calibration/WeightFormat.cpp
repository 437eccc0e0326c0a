//===- WeightFormat.cpp - formats of weights, as data ---------------------===//

#include "quant/Calibration/WeightFormat.h"

using namespace llvm;
using namespace quantmlir;

/// OCP Microscaling Formats 1.0, table 5, times 2.
static constexpr int8_t kE2M1[] = {0, 1,  2,  3,  4,  6,  8,  12,
                                   0, -1, -2, -3, -4, -6, -8, -12};
/// ggml, kvalues_iq4nl.
static constexpr int8_t kIQ4NL[] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
/// Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs" (2023),
/// appendix E, times 127 and rounded.
static constexpr int8_t kNF4[] = {-127, -88, -67, -50, -36, -23, -12, 0,
                                  10,   20,  31,  43,  56,  71,  92,  127};

/// In the order of WeightFormat.
static const WeightFormatRow kRows[] = {
    {WeightFormat::Int, 0, 0, false, WeightScales::F32, {}},
    {WeightFormat::MXFP4, 4, 32, true, WeightScales::E8M0, kE2M1},
    {WeightFormat::NVFP4, 4, 16, true, WeightScales::E4M3, kE2M1},
    {WeightFormat::MXINT8, 8, 32, true, WeightScales::E8M0, {}},
    {WeightFormat::IQ4_NL, 4, 32, true, WeightScales::F16, kIQ4NL},
    {WeightFormat::NF4, 4, 64, false, WeightScales::F32, kNF4},
    {WeightFormat::Ternary, 2, 0, false, WeightScales::F32, {}}};

const WeightFormatRow &quantmlir::getFormatRow(WeightFormat format) {
  return kRows[static_cast<size_t>(format)];
}

std::optional<WeightFormat> quantmlir::findWeightFormat(ArrayRef<int8_t> codes,
                                                        int64_t groupSize) {
  for (const WeightFormatRow &row : kRows)
    if (!row.codes.empty() && row.codes == codes &&
        (!row.hasFixedGroups || row.groupSize == groupSize))
      return row.format;
  return std::nullopt;
}
