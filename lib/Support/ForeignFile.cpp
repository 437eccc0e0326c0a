//===- ForeignFile.cpp - what a file is that is no program ----------------===//

#include "quant/Support/ForeignFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Path.h"

using namespace quantmlir;
using llvm::StringLiteral;
using llvm::StringRef;

namespace {
/// A dialect that is not MLIR's, and the way from it to linalg.
struct ForeignDialect {
  StringLiteral name;
  StringLiteral remedy;
};
} // namespace

/// The first that occurs counts: torch-mlir writes `tm_tensor` beside linalg.
static constexpr ForeignDialect kForeignDialects[] = {
    {"tm_tensor",
     "torch-mlir made it of an op that linalg lacks, mostly attention: export "
     "with that decomposed (torch.nn.attention.sdpa_kernel(SDPBackend.MATH))"},
    {"stablehlo",
     "convert it with `stablehlo-opt --stablehlo-legalize-to-linalg IN -o "
     "OUT.mlir`"},
    {"vhlo", "convert it with `stablehlo-translate --deserialize IN | "
             "stablehlo-opt --stablehlo-legalize-to-linalg -o OUT.mlir`"},
    {"torch",
     "convert it with `torch-mlir-opt "
     "--pass-pipeline='builtin.module(torch-backend-to-linalg-on-tensors-"
     "backend-pipeline)' IN -o OUT.mlir`, or export with output_type="
     "\"linalg-on-tensors\""},
    {"onnx", "import the .onnx file with `python -m "
             "torch_mlir.tools.import_onnx MODEL.onnx -o OUT.mlir`, then "
             "torch-mlir-opt, as README.md says"},
};

static constexpr StringLiteral kImportOnnx =
    "import it with `python -m torch_mlir.tools.import_onnx IN -o T.mlir`, "
    "then `torch-mlir-opt --pass-pipeline='builtin.module("
    "torch-onnx-to-torch-backend-pipeline,"
    "torch-backend-to-linalg-on-tensors-backend-pipeline)' T.mlir -o OUT.mlir`";

/// The producer that bytecode names, after its magic number and its version.
static StringRef getProducer(StringRef bytes) {
  // The version is one byte up to 127.
  return bytes.size() < 6
             ? StringRef()
             : bytes.drop_front(5).take_until([](char c) { return c == '\0'; });
}

static std::string explainBytecode(StringRef bytes) {
  StringRef producer = getProducer(bytes.take_front(64));
  StringRef number = producer;
  unsigned major;
  if (!number.consume_front("MLIR") || number.consumeInteger(10, major) ||
      major <= LLVM_VERSION_MAJOR)
    return "";
  return "bytecode of " + producer.str() +
         ", which is newer than MLIR " LLVM_VERSION_STRING
         ": write text (str(module) in Python, mlir-opt without "
         "--emit-bytecode)";
}

/// Whether an op, type or attribute of the dialect stands in `text`.
static bool uses(StringRef text, StringRef dialect) {
  for (size_t at = text.find(dialect); at != StringRef::npos;
       at = text.find(dialect, at + 1)) {
    StringRef rest = text.drop_front(at + dialect.size());
    bool isStart =
        at == 0 || StringRef(" \n\t\"!#(=<{,").contains(text[at - 1]);
    if (isStart && rest.consume_front(".") && !rest.empty() &&
        (llvm::isAlpha(rest.front()) || rest.front() == '_'))
      return true;
  }
  return false;
}

std::string quantmlir::explainForeignFile(StringRef path, StringRef bytes) {
  if (bytes.starts_with("ML\xefR"))
    return explainBytecode(bytes);
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".onnx")
    return "an ONNX model: " + kImportOnnx.str();
  if (extension == ".tflite" || bytes.drop_front(4).starts_with("TFL3"))
    return "a TFLite model: convert it with `tosa_converter_for_tflite`, which "
           "writes TOSA";
  // What MLIR has itself does not mention these; a large file is named early.
  StringRef text = bytes.take_front(1 << 20);
  for (const ForeignDialect &dialect : kForeignDialects)
    if (uses(text, dialect.name)) {
      bool isOnnx =
          dialect.name == "torch" && text.contains("torch.operator \"onnx.");
      if (isOnnx)
        return "ONNX ops in the dialect torch: convert it with "
               "`torch-mlir-opt --pass-pipeline='builtin.module("
               "torch-onnx-to-torch-backend-pipeline,"
               "torch-backend-to-linalg-on-tensors-backend-pipeline)' IN -o "
               "OUT.mlir`";
      return "a program in the dialect " + dialect.name.str() +
             ", which MLIR does not have: " + dialect.remedy.str();
    }
  return "";
}
