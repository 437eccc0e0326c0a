//===- Recipe.cpp - a scheme for each matmul ------------------------------===//

#include "quant/Quantize/Recipe.h"

#include "quant/Import/MatmulNames.h"
#include "quant/Support/Json.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/GlobPattern.h"

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

llvm::Expected<MatmulPattern> MatmulPattern::create(StringRef text) {
  auto glob = llvm::GlobPattern::create(text);
  if (!glob)
    return llvm::createStringError("expected a glob, found '" + text +
                                   "': " + llvm::toString(glob.takeError()));
  MatmulPattern pattern;
  pattern.text = text.str();
  return pattern;
}

/// Whether `glob` fits a place that `location` names.
static bool matchesLocation(const llvm::GlobPattern &glob, Location location) {
  return location
      ->walk([&](Location part) {
        std::string text;
        if (auto file = dyn_cast<FileLineColLoc>(part))
          llvm::raw_string_ostream(text)
              << file.getFilename().getValue() << ":" << file.getLine() << ":"
              << file.getColumn();
        else if (auto name = dyn_cast<NameLoc>(part))
          text = name.getName().str();
        return !text.empty() && glob.match(text) ? WalkResult::interrupt()
                                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

bool MatmulPattern::matches(Operation *op) {
  // Not kept: a glob refers to the text it was made from, which moves.
  auto glob = llvm::cantFail(llvm::GlobPattern::create(text));
  bool fits =
      glob.match(getMatmulName(op)) || glob.match(getMatmulOrdinal(op)) ||
      glob.match(getMatmulKind(op)) || matchesLocation(glob, op->getLoc());
  used |= fits;
  return fits;
}

llvm::Expected<std::vector<MatmulPattern>>
quantmlir::createPatterns(ArrayRef<std::string> texts) {
  std::vector<MatmulPattern> patterns;
  for (const std::string &text : texts) {
    auto pattern = MatmulPattern::create(text);
    if (!pattern)
      return pattern.takeError();
    patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

/// A string field, where `object` must have it.
static llvm::Expected<std::string> getString(const json::Object &object,
                                             StringRef field) {
  if (std::optional<StringRef> text = object.getString(field))
    return text->str();
  std::string found = "nothing";
  if (const json::Value *value = object.get(field))
    llvm::raw_string_ostream(found = "") << *value;
  return llvm::createStringError("'" + field + "': expected a string, found " +
                                 found);
}

/// Fails on a field that is none of `known`: a misspelt one would be ignored.
static llvm::Error verifyFields(const json::Object &object,
                                ArrayRef<StringRef> known) {
  for (const auto &field : object)
    if (!llvm::is_contained(known, StringRef(field.first)))
      return llvm::createStringError("unknown field '" +
                                     StringRef(field.first) + "'");
  return llvm::Error::success();
}

static llvm::Expected<Recipe::Rule> parseRule(const json::Value &value,
                                              const QuantScheme &base) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return llvm::createStringError("expected an object");
  if (llvm::Error unknown = verifyFields(*object, {"name", "options"}))
    return std::move(unknown);
  auto name = getString(*object, "name");
  if (!name)
    return name.takeError();
  auto options = getString(*object, "options");
  if (!options)
    return options.takeError();
  auto scheme = QuantScheme::parseOrNone(*options, base);
  if (!scheme)
    return llvm::createStringError("'options': " +
                                   llvm::toString(scheme.takeError()));
  auto pattern = MatmulPattern::create(*name);
  if (!pattern)
    return pattern.takeError();
  return Recipe::Rule{std::move(*pattern), std::move(*scheme)};
}

static llvm::Expected<Recipe> parseRecipe(const json::Value &value,
                                          const QuantScheme &base) {
  const json::Object *root = value.getAsObject();
  if (!root)
    return llvm::createStringError("expected an object");
  if (llvm::Error unknown =
          verifyFields(*root, {"version", "model", "matmuls"}))
    return std::move(unknown);
  std::optional<int64_t> version = root->getInteger("version");
  if (version != 1)
    return llvm::createStringError("'version': expected 1");
  Recipe recipe;
  if (root->get("model")) {
    auto model = getString(*root, "model");
    if (!model)
      return model.takeError();
    recipe.model = std::move(*model);
  }
  const json::Array *rules = root->getArray("matmuls");
  if (!rules)
    return llvm::createStringError("'matmuls': expected a list");
  for (auto [i, value] : llvm::enumerate(*rules)) {
    auto rule = parseRule(value, base);
    if (!rule)
      return llvm::createStringError("'matmuls'[" + llvm::Twine(i) +
                                     "]: " + llvm::toString(rule.takeError()));
    recipe.rules.push_back(std::move(*rule));
  }
  return recipe;
}

llvm::Expected<Recipe> Recipe::read(StringRef path, const QuantScheme &base) {
  auto inFile = [&](llvm::Error error) {
    return llvm::createStringError("recipe '" + path +
                                   "': " + llvm::toString(std::move(error)));
  };
  auto file = openJson(path);
  if (!file)
    return inFile(file.takeError());
  auto value = parseJson((*file)->getBuffer());
  if (!value)
    return inFile(value.takeError());
  auto recipe = parseRecipe(*value, base);
  if (!recipe)
    return inFile(recipe.takeError());
  return recipe;
}

const Recipe::Rule *Recipe::find(Operation *op) {
  for (Rule &rule : rules)
    if (rule.pattern.matches(op))
      return &rule;
  return nullptr;
}
