//===- ForeignFile.cpp - what a file is that is no program ----------------===//

#include "quant/Support/ForeignFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace quantmlir;
using llvm::StringLiteral;
using llvm::StringRef;

namespace {
/// What a name or the first bytes give away, and what to do about it.
struct Foreign {
  StringLiteral sign;
  StringLiteral remedy;
};
} // namespace

/// The first that occurs counts.
static constexpr Foreign kForeignDialects[] = {
    {"chlo", "convert it with `stablehlo-opt --chlo-legalize-to-stablehlo "
             "--stablehlo-legalize-to-linalg IN -o OUT.mlir`"},
    {"stablehlo",
     "convert it with `stablehlo-opt --stablehlo-legalize-to-linalg IN -o "
     "OUT.mlir`"},
    {"vhlo", "convert it with `stablehlo-translate --deserialize IN | "
             "stablehlo-opt --stablehlo-legalize-to-linalg -o OUT.mlir`"},
    {"mhlo", "export StableHLO instead, and convert that with `stablehlo-opt "
             "--stablehlo-legalize-to-linalg IN -o OUT.mlir`"},
    {"torch",
     "convert it with `torch-mlir-opt "
     "--pass-pipeline='builtin.module(torch-backend-to-linalg-on-tensors-"
     "backend-pipeline)' IN -o OUT.mlir`, or export with output_type="
     "\"linalg-on-tensors\""},
    {"onnx", "import the .onnx file with `python -m "
             "torch_mlir.tools.import_onnx MODEL.onnx -o OUT.mlir`, then "
             "`torch-mlir-opt --pass-pipeline='builtin.module("
             "torch-onnx-to-torch-backend-pipeline,"
             "torch-backend-to-linalg-on-tensors-backend-pipeline)'`"},
    {"krnl", "that is onnx-mlir's, of loops: import the .onnx file itself with "
             "`python -m torch_mlir.tools.import_onnx`"},
    {"tfl", "convert it with `tf-opt --tfl-to-tosa-pipeline IN -o OUT.mlir`"},
    {"tf", "convert it with `tf-opt --tf-to-tosa-pipeline IN -o OUT.mlir`"},
    {"util", "that is IREE's: give the program from before `iree-compile`"},
    {"flow", "that is IREE's: give the program from before `iree-compile`"},
    {"hal", "that is IREE's: give the program from before `iree-compile`"},
    {"tt", "that is Triton's, one kernel of a GPU and no program of tensors"},
};

static constexpr StringLiteral kExportTorch =
    "export the model that uses them (torch_mlir.fx.export_and_import(model, "
    "x, output_type=\"linalg-on-tensors\"), and write str(module))";

/// First bytes, and what a file is that has them.
static constexpr Foreign kMagic[] = {
    {"\x1f\x8b", "compressed: unpack it with `gunzip`"},
    {"\x28\xb5\x2f\xfd", "compressed: unpack it with `unzstd`"},
    {"\xfd"
     "7zXZ",
     "compressed: unpack it with `unxz`"},
    {"BZh", "compressed: unpack it with `bunzip2`"},
    {"\x93NUMPY", "a NumPy array and no program: inputs go to --inputs"},
    {"\x89HDF", "an HDF5 file of Keras and no MLIR: export it with "
                "model.export(), and convert that to TOSA or StableHLO"},
    {"BC\xc0\xde", "LLVM bitcode, in which no product is left to be seen: give "
                   "the MLIR that it was made of"},
    {"; ModuleID", "LLVM IR, in which no product is left to be seen: give the "
                   "MLIR that it was made of"},
    {"\x7f"
     "ELF",
     "machine code, not a program to compile"},
    {"\xff\xfe", "text in UTF-16: write it in UTF-8"},
    {"\xfe\xff", "text in UTF-16: write it in UTF-8"},
    {"\xef\xbb\xbf", "text with a byte order mark, which MLIR does not read: "
                     "write it without"},
    {"HloModule", "HLO text: export StableHLO instead, and convert that with "
                  "`stablehlo-opt --stablehlo-legalize-to-linalg`"},
    {"version https://git-lfs",
     "a pointer of Git LFS in place of the file: get "
     "that with `git lfs pull`"},
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

/// Files of weights alone.
static std::string explainWeights(StringRef path, StringRef bytes) {
  StringRef extension = llvm::sys::path::extension(path);
  if (bytes.starts_with("GGUF"))
    return "a GGUF file, which holds weights and no program: "
           "`quantmlir.llm.load(IN)` in Python runs a language model, "
           "`utils/import-quantized-weights.py gguf IN --tensor NAME -o "
           "OUT.mlir` makes a matmul of one tensor";
  // The size of the header comes first.
  if (bytes.size() > 10 && bytes.substr(8).starts_with("{\""))
    return "a safetensors file, which holds weights and no program: "
           "`quantmlir.llm.load(FOLDER)` in Python runs a language model; "
           "else " +
           kExportTorch.str();
  bool isPickle =
      bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
  bool isZip = bytes.starts_with("PK\x03\x04");
  if (isPickle || (isZip && bytes.contains("/data.pkl")))
    return "a checkpoint of PyTorch, which holds weights and no program: " +
           kExportTorch.str();
  if (isZip && extension == ".npz")
    return "an archive of NumPy arrays and no program: inputs go to --inputs";
  if (isZip && extension == ".pt2")
    return "an archive of torch.export: import it with "
           "torch_mlir.fx.export_and_import(torch.export.load(IN), "
           "output_type=\"linalg-on-tensors\"), and write str(module)";
  return isZip ? "a ZIP archive and no program" : "";
}

std::string quantmlir::explainForeignBytes(StringRef path, StringRef bytes) {
  if (bytes.starts_with("ML\xefR"))
    return explainBytecode(bytes);
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".onnx")
    return "an ONNX model: " + kImportOnnx.str();
  if (extension == ".tflite" || bytes.drop_front(4).starts_with("TFL3"))
    return "a TFLite model: convert it with `tosa_converter_for_tflite`, which "
           "writes TOSA";
  for (const Foreign &magic : kMagic)
    if (bytes.starts_with(magic.sign))
      return magic.remedy.str();
  return explainWeights(path, bytes);
}

std::string quantmlir::explainForeignFile(StringRef path, StringRef bytes) {
  std::string binary = explainForeignBytes(path, bytes);
  if (!binary.empty() || bytes.starts_with("ML\xefR"))
    return binary;
  // What MLIR has itself does not mention these; a large file is named early.
  StringRef text = bytes.take_front(1 << 20);
  if (text.contains("tm_tensor.topk"))
    return "a program with torch-mlir's tm_tensor.topk, which is not read "
           "(tm_tensor.scan, scatter, sort and attention are): export the "
           "model "
           "without what comes after its logits";
  for (const Foreign &dialect : kForeignDialects)
    if (uses(text, dialect.sign)) {
      bool isOnnx =
          dialect.sign == "torch" && text.contains("torch.operator \"onnx.");
      if (isOnnx)
        return "ONNX ops in the dialect torch: convert it with "
               "`torch-mlir-opt --pass-pipeline='builtin.module("
               "torch-onnx-to-torch-backend-pipeline,"
               "torch-backend-to-linalg-on-tensors-backend-pipeline)' IN -o "
               "OUT.mlir`";
      return "a program in the dialect " + dialect.sign.str() +
             ", which MLIR does not have: " + dialect.remedy.str();
    }
  return "";
}

bool quantmlir::isDevice(StringRef path) {
  llvm::sys::fs::file_status status;
  return !llvm::sys::fs::status(path, status) &&
         (status.type() == llvm::sys::fs::file_type::character_file ||
          status.type() == llvm::sys::fs::file_type::block_file);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
quantmlir::openBytes(StringRef path) {
  if (isDevice(path))
    return llvm::createStringError(path + ": expected a file, found a device");
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createStringError(path + ": " + file.getError().message());
  return std::move(*file);
}
