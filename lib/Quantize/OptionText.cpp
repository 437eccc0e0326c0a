//===- OptionText.cpp - values with names, in the text of options ---------===//

#include "OptionText.h"

#include "llvm/ADT/DenseMap.h"

#include <charconv>

using namespace quantmlir;
using llvm::createStringError;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Taking apart
//===----------------------------------------------------------------------===//

namespace {

/// Which braces and quotes of a text belong together. What has no partner
/// stands for itself: an apostrophe, the bracket of a glob.
class Grouping {
public:
  explicit Grouping(StringRef text);

  /// The first of `ends` from `begin` on that stands in no group.
  size_t findEnd(size_t begin, StringRef ends) const {
    size_t i = begin;
    while (i < text.size() && !ends.contains(text[i]))
      i = closing[i] + 1;
    return i;
  }
  /// Whether braces or quotes hold all of the text.
  bool isWrapped() const {
    return text.size() >= 2 && StringRef("{\"'").contains(text.front()) &&
           closing.front() == text.size() - 1;
  }

private:
  size_t matchQuote(size_t open);
  void addBrace(size_t begin);
  void matchBrace(size_t close);

  StringRef text;
  /// Where the group that begins at a place ends, or the place itself.
  std::vector<size_t> closing;
  /// Braces without a partner so far, and how many of each there are.
  std::vector<size_t> open;
  llvm::SmallDenseMap<char, size_t, 4> numOpen;
};

} // namespace

Grouping::Grouping(StringRef text) : text(text), closing(text.size()) {
  for (size_t i = 0; i < text.size(); ++i)
    closing[i] = i;
  for (size_t i = 0; i < text.size(); ++i) {
    if (StringRef("\"'").contains(text[i]))
      i = matchQuote(i);
    else if (StringRef("{[(").contains(text[i]))
      addBrace(i);
    else if (StringRef("}])").contains(text[i]))
      matchBrace(i);
  }
}

/// Nothing in quotes is special. Gives where they end.
size_t Grouping::matchQuote(size_t begin) {
  size_t end = text.find(text[begin], begin + 1);
  return closing[begin] = end == StringRef::npos ? begin : end;
}

void Grouping::addBrace(size_t begin) {
  open.push_back(begin);
  ++numOpen[text[begin]];
}

/// Those that were opened since then have no partner.
void Grouping::matchBrace(size_t close) {
  char wanted = text[close] == '}' ? '{' : text[close] == ']' ? '[' : '(';
  if (numOpen[wanted] == 0)
    return;
  for (bool isFound = false; !isFound; open.pop_back()) {
    char last = text[open.back()];
    --numOpen[last];
    isFound = last == wanted;
    if (isFound)
      closing[open.back()] = close;
  }
}

/// `text` without braces or quotes that hold all of it.
static StringRef unwrap(StringRef text) {
  return Grouping(text).isWrapped() ? text.drop_front().drop_back() : text;
}

llvm::Expected<std::vector<OptionText>>
quantmlir::splitOptions(StringRef text) {
  constexpr llvm::StringLiteral blank = " \t\n\r";
  std::vector<OptionText> options;
  Grouping grouping(text);
  for (size_t i = text.find_first_not_of(blank); i < text.size();
       i = text.find_first_not_of(blank, i)) {
    size_t nameEnd = std::min(text.find_first_of("= \t\n\r", i), text.size());
    OptionText option{text.slice(i, nameEnd), ""};
    if (option.name.empty())
      return createStringError("expected the name of an option, found '" +
                               text.drop_front(i) + "'");
    i = nameEnd;
    if (i < text.size() && text[i] == '=') {
      size_t end = grouping.findEnd(i + 1, blank);
      option.value = unwrap(text.slice(i + 1, end));
      i = end;
    }
    options.push_back(option);
  }
  return options;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

bool OptionReader::takes(StringRef name) {
  names.push_back(name);
  isKnown |= name == option.name;
  return name == option.name;
}

void OptionReader::expect(const Twine &what) {
  problem = ("option '" + option.name + "': expected " + what + ", found '" +
             option.value + "'")
                .str();
}

void OptionReader::read(unsigned &field) {
  if (option.value.getAsInteger(0, field))
    expect("a number");
}

void OptionReader::read(int64_t &field) {
  if (option.value.getAsInteger(0, field))
    expect("an integer");
}

void OptionReader::read(double &field) {
  if (option.value.getAsDouble(field))
    expect("a number");
}

void OptionReader::read(bool &field) {
  std::string word = option.value.lower();
  if (word.empty() || word == "true" || word == "1")
    field = true;
  else if (word == "false" || word == "0")
    field = false;
  else
    expect("true or false");
}

void OptionReader::read(std::string &field) { field = option.value.str(); }

void OptionReader::read(std::vector<std::string> &field) {
  isList = true;
  Grouping grouping(option.value);
  for (size_t i = 0; i < option.value.size(); ++i) {
    size_t end = grouping.findEnd(i, ",");
    field.push_back(unwrap(option.value.slice(i, end)).str());
    i = end;
  }
}

llvm::Error OptionReader::finish(StringRef other) {
  if (!isKnown) {
    llvm::sort(names);
    return createStringError("no such option " + option.name +
                             "; the options are " + llvm::join(names, ", ") +
                             (option.value.empty() ? other : ""));
  }
  if (isAgain && !isList)
    return createStringError("option '" + option.name + "' is given twice");
  return problem.empty() ? llvm::Error::success() : createStringError(problem);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// In the fewest digits that give it back.
std::string OptionPrinter::print(double field) {
  char digits[32];
  auto result = std::to_chars(digits, digits + sizeof(digits), field);
  return {digits, result.ptr};
}

/// In braces or quotes, where it would not end where it ends.
std::string OptionPrinter::print(const std::string &field) {
  StringRef text = field;
  if (text.find_first_of(" \t\n,{}[]()\"'") == StringRef::npos)
    return field;
  if (text.find_first_of("{}[]()\"'") == StringRef::npos)
    return "{" + field + "}";
  char quote = text.contains('"') ? '\'' : '"';
  return quote + field + quote;
}

std::string OptionPrinter::print(const std::vector<std::string> &field) {
  std::string list;
  for (const std::string &element : field)
    list += (list.empty() ? "" : ",") + print(element);
  return list.empty() ? "" : "{" + list + "}";
}
