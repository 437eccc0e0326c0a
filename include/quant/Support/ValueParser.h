//===- ValueParser.h - options of few values --------------------*- C++ -*-===//
//
// LLVM's parser of an option that is one of an enum says of a word that is none
// of its values that there is no *option* of this name. This one lists them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_SUPPORT_VALUEPARSER_H
#define QUANT_SUPPORT_VALUEPARSER_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"

namespace quantmlir {

/// What `llvm::cl::parser` does for an enum, but for what it says.
template <typename Enum>
class ValueParser : public llvm::cl::generic_parser_base {
  // LLVM and `PassOptions` call these by their names.
protected:
  struct OptionInfo : GenericOptionInfo {
    OptionInfo(llvm::StringRef name, Enum value, llvm::StringRef description)
        : GenericOptionInfo(name, description), V(value) {}
    llvm::cl::OptionValue<Enum> V;
  };
  llvm::SmallVector<OptionInfo, 8> Values;

public:
  using parser_data_type = Enum;

  ValueParser(llvm::cl::Option &option) : generic_parser_base(option) {}

  unsigned getNumOptions() const override { return Values.size(); }
  llvm::StringRef getOption(unsigned i) const override {
    return Values[i].Name;
  }
  llvm::StringRef getDescription(unsigned i) const override {
    return Values[i].HelpStr;
  }
  const llvm::cl::GenericOptionValue &
  getOptionValue(unsigned i) const override {
    return Values[i].V;
  }

  bool parse(llvm::cl::Option &option, llvm::StringRef, llvm::StringRef text,
             Enum &value) {
    for (const OptionInfo &info : Values)
      if (info.Name == text) {
        value = info.V.getValue();
        return false;
      }
    // An option that may stand without a value has an empty one.
    llvm::SmallVector<llvm::StringRef> words;
    for (const OptionInfo &info : Values)
      if (!info.Name.empty())
        words.push_back(info.Name);
    std::string names;
    for (auto [i, word] : llvm::enumerate(words))
      names += (i == 0                  ? ""
                : i + 1 == words.size() ? " or "
                                        : ", ") +
               word.str();
    return option.error("expected " + names + ", found '" + text + "'");
  }

  template <typename T>
  void addLiteralOption(llvm::StringRef name, const T &value,
                        llvm::StringRef description) {
    Values.emplace_back(name, static_cast<Enum>(value), description);
    AddLiteralOption(Owner, name);
  }
};

} // namespace quantmlir

/// Options of this type are read by it; before the first of them.
#define QUANT_LIST_VALUES(ENUM)                                                \
  template <>                                                                  \
  class llvm::cl::parser<ENUM> : public quantmlir::ValueParser<ENUM> {         \
    using ValueParser::ValueParser;                                            \
  };

#endif // QUANT_SUPPORT_VALUEPARSER_H
