//===- OptionText.cpp - values with names, in the text of options ---------===//

#include "OptionText.h"

#include <charconv>

using namespace llvm;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Taking apart
//===----------------------------------------------------------------------===//

/// What ends that which `open` begins; 0: it begins nothing.
static char getClosing(char open) {
  switch (open) {
  case '{':
    return '}';
  case '[':
    return ']';
  case '(':
    return ')';
  case '"':
  case '\'':
    return open;
  default:
    return 0;
  }
}

/// Where the part of `text` that begins at `begin`, with a brace or a quote,
/// ends; npos where it does not.
static size_t findClosing(StringRef text, size_t begin) {
  char open = text[begin], close = getClosing(open);
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == close)
      return i;
    if (open == close || !getClosing(text[i]))
      continue;
    size_t inner = findClosing(text, i);
    // A bracket or an apostrophe may stand for itself.
    if (inner != StringRef::npos)
      i = inner;
  }
  return StringRef::npos;
}

/// The first of `ends` in `text` that stands in no braces or quotes.
static size_t findEnd(StringRef text, StringRef ends) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (ends.contains(text[i]))
      return i;
    if (!getClosing(text[i]))
      continue;
    size_t close = findClosing(text, i);
    if (close != StringRef::npos)
      i = close;
  }
  return text.size();
}

/// `text` without braces or quotes that hold all of it.
static StringRef unwrap(StringRef text) {
  bool isWrapped = !text.empty() && StringRef("{\"'").contains(text.front()) &&
                   findClosing(text, 0) == text.size() - 1;
  return isWrapped ? text.drop_front().drop_back() : text;
}

Expected<std::vector<OptionText>> quantmlir::splitOptions(StringRef text) {
  std::vector<OptionText> options;
  for (text = text.trim(); !text.empty(); text = text.ltrim()) {
    size_t nameEnd = text.find_first_of("= \t\n");
    StringRef name = text.take_front(nameEnd), value;
    if (name.empty())
      return createStringError("expected the name of an option, found '" +
                               text + "'");
    text = text.drop_front(name.size());
    if (text.consume_front("=")) {
      size_t end = findEnd(text, " \t\n");
      value = unwrap(text.take_front(end));
      text = text.drop_front(end);
    }
    options.push_back({name, value});
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
  for (StringRef rest = option.value; !rest.empty();) {
    size_t end = findEnd(rest, ",");
    field.push_back(unwrap(rest.take_front(end)).str());
    rest = rest.drop_front(std::min(end + 1, rest.size()));
  }
}

Error OptionReader::finish() {
  if (!isKnown) {
    llvm::sort(names);
    return createStringError("no such option " + option.name +
                             "; the options are " + join(names, ", "));
  }
  if (isAgain && !isList)
    return createStringError("option '" + option.name + "' is given twice");
  return problem.empty() ? Error::success() : createStringError(problem);
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
