//===- HeaderFile.cpp - the header of a compiled model --------------------===//

#include "quant/Artifact/ArtifactFiles.h"

#include "quant/Support/Version.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

/// quant/CAPI/Artifact.h.
static constexpr unsigned char kInterface[] = {
#include "ArtifactHeader.inc"
};

/// Text in a C comment.
static std::string quoteComment(StringRef text) {
  std::string quoted;
  for (char c : text)
    quoted += c == '*' || c == '\n' ? ' ' : c;
  return quoted;
}

static void printTypes(StringRef role, ArrayRef<HostTensorType> types,
                       llvm::raw_ostream &os) {
  for (auto [i, type] : llvm::enumerate(types))
    os << " *   " << role << " " << i << ": " << type.str() << "\n";
}

/// Sizes of a static type as a macro, for buffers on the stack.
static void printBytes(StringRef prefix, StringRef role,
                       ArrayRef<HostTensorType> types, llvm::raw_ostream &os) {
  for (auto [i, type] : llvm::enumerate(types))
    if (auto bytes = getNumBytes(type.element, type.shape))
      os << "#define " << prefix << "_" << role << i << "_BYTES " << *bytes
         << "\n";
}

void quantmlir::printHeader(const ModelFacts &facts, llvm::raw_ostream &os) {
  std::string upper = StringRef(facts.name).upper();
  const Signature &signature = facts.signature;
  os << "/* " << facts.name << ": a compiled model. Made by " << getVersion()
     << ".\n *\n";
  printTypes("input", signature.arguments, os);
  printTypes("result", signature.results, os);
  if (!facts.scheme.empty())
    os << " *   quantized: " << quoteComment(facts.scheme) << "\n";
  os << " *   compiled for: " << facts.triple << ", "
     << (facts.cpu.empty() ? "any CPU" : facts.cpu) << " (" << facts.target
     << ")\n";
  if (!facts.weightsFile.empty())
    os << " *   weights: " << facts.weightsFile << ", " << facts.weightsSize
       << " bytes, mapped at the first call\n";
  if (facts.keepsState)
    os << " *   It keeps variables from call to call: calls must not "
          "overlap.\n";
  os << " */\n";
  os << StringRef(reinterpret_cast<const char *>(kInterface),
                  sizeof(kInterface))
     << "\n";
  os << "#ifndef QUANT_MODEL_" << facts.name << "\n"
     << "#define QUANT_MODEL_" << facts.name << "\n\n"
     << "#define " << upper << "_NUM_INPUTS " << signature.arguments.size()
     << "\n"
     << "#define " << upper << "_NUM_RESULTS " << signature.results.size()
     << "\n";
  printBytes(upper, "INPUT", signature.arguments, os);
  printBytes(upper, "RESULT", signature.results, os);
  os << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "/** The model; valid as long as its code is loaded. */\n"
     << "const QuantArtifact *" << facts.name << "_artifact(void);\n\n"
     << "#ifdef __cplusplus\n}\n#endif\n\n"
     << "#endif /* QUANT_MODEL_" << facts.name << " */\n";
}
