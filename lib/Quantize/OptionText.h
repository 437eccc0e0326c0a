//===- OptionText.h - values with names, in the text of options -*- C++ -*-===//
//
// `name=value name={a value} flag`, as the options of passes are written. A
// reader and a printer visit the fields of a struct: whoever has fields lists
// them once, with their names.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_QUANTIZE_OPTIONTEXT_H
#define QUANT_LIB_QUANTIZE_OPTIONTEXT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quantmlir {

/// One option of a text, without the braces or quotes around its value.
struct OptionText {
  llvm::StringRef name, value;
};

/// Takes `text` apart; an option without `=` has an empty value.
llvm::Expected<std::vector<OptionText>> splitOptions(llvm::StringRef text);

/// The words of an enumeration.
template <typename Enum>
struct OptionChoice {
  llvm::StringLiteral word;
  Enum value;
};

/// Writes one option of a text into the field that has its name.
class OptionReader {
public:
  /// `isAgain`: whether the text has had the option before, as only lists may.
  OptionReader(OptionText option, bool isAgain)
      : option(option), isAgain(isAgain) {}

  template <typename T>
  void operator()(llvm::StringRef name, T &field) {
    if (takes(name))
      read(field);
  }
  template <typename Enum>
  void operator()(llvm::StringRef name, Enum &field,
                  llvm::ArrayRef<OptionChoice<Enum>> choices) {
    if (!takes(name))
      return;
    for (const OptionChoice<Enum> &choice : choices)
      if (choice.word == option.value) {
        field = choice.value;
        return;
      }
    std::vector<llvm::StringRef> words;
    for (const OptionChoice<Enum> &choice : choices)
      words.push_back(choice.word);
    expect(llvm::join(llvm::ArrayRef(words).drop_back(), ", ") + " or " +
           words.back().str());
  }

  /// Fails where the value is not one of the field's, where it is the second
  /// one, or where no field has the name; `other` says what else a word without
  /// a value may be.
  llvm::Error finish(llvm::StringRef other);

private:
  bool takes(llvm::StringRef name);
  void expect(const llvm::Twine &what);
  void read(unsigned &field);
  void read(int64_t &field);
  void read(double &field);
  void read(bool &field);
  void read(std::string &field);
  void read(std::vector<std::string> &field);

  OptionText option;
  bool isAgain;
  std::vector<llvm::StringRef> names;
  bool isKnown = false, isList = false;
  std::string problem;
};

/// Reads `text` into the fields that `visit` shows to a reader; `other`: see
/// OptionReader::finish.
template <typename Visit>
llvm::Error readOptions(llvm::StringRef text, Visit &&visit,
                        llvm::StringRef other = "") {
  auto options = splitOptions(text);
  if (!options)
    return options.takeError();
  llvm::StringSet<> seen;
  for (const OptionText &option : *options) {
    OptionReader reader(option, !seen.insert(option.name).second);
    visit(reader);
    if (llvm::Error error = reader.finish(other))
      return error;
  }
  return llvm::Error::success();
}

/// Collects `name=value` of each field that it visits.
class OptionPrinter {
public:
  template <typename T>
  void operator()(llvm::StringRef name, const T &field) {
    add(name, print(field));
  }
  template <typename Enum>
  void operator()(llvm::StringRef name, const Enum &field,
                  llvm::ArrayRef<OptionChoice<Enum>> choices) {
    for (const OptionChoice<Enum> &choice : choices)
      if (choice.value == field)
        return add(name, choice.word.str());
    llvm_unreachable("all choices are listed");
  }

  struct Printed {
    llvm::StringRef name;
    std::string value;
  };
  llvm::ArrayRef<Printed> getPrinted() const { return printed; }

private:
  void add(llvm::StringRef name, std::string value) {
    printed.push_back({name, std::move(value)});
  }
  static std::string print(unsigned field) { return std::to_string(field); }
  static std::string print(int64_t field) { return std::to_string(field); }
  static std::string print(double field);
  static std::string print(bool field) { return field ? "true" : "false"; }
  static std::string print(const std::string &field);
  static std::string print(const std::vector<std::string> &field);

  std::vector<Printed> printed;
};

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_OPTIONTEXT_H
