/*===- Text.h - messages ------------------------------------------*- C -*-===*\
|*                                                                            *|
|* Text in a buffer that the caller gave, as much of it as there is room for. *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_TEXT_H
#define QUANT_SUPPORT_TEXT_H

#include "System.h"

/** A buffer that is written to as long as there is room. */
typedef struct {
  char *data;
  size_t size, used;
} Text;

static Text start(char *data, size_t size) {
  Text text = {data, data ? size : 0, 0};
  if (text.size)
    data[0] = 0;
  return text;
}

static void add(Text *text, const char *more) {
  size_t length = strlen(more);
  size_t room = text->size > text->used ? text->size - text->used - 1 : 0;
  if (text->size == 0)
    return;
  if (length > room)
    length = room;
  memcpy(text->data + text->used, more, length);
  text->used += length;
  text->data[text->used] = 0;
}

static void addNumber(Text *text, int64_t number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", (long long)number);
  add(text, digits);
}

static const char *const elementNames[] = {"i1",  "i4",  "i8",   "i16", "i32",
                                           "i64", "f16", "bf16", "f32", "f64"};
static const uint8_t elementWidths[] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
enum { NUM_ELEMENTS = 10 };

/** `tensor<2x?xf32>` */
static void addType(Text *text, int32_t element, int32_t rank,
                    const int64_t *shape) {
  add(text, "tensor<");
  for (int32_t i = 0; i < rank && shape; ++i) {
    if (shape[i] < 0)
      add(text, "?");
    else
      addNumber(text, shape[i]);
    add(text, "x");
  }
  if (element >= 0 && element < NUM_ELEMENTS)
    add(text, elementNames[element]);
  else
    addNumber(text, element);
  add(text, ">");
}

static int32_t fail(Text *text, int32_t status, const char *why) {
  add(text, why);
  return status;
}

/** `input 1: ` */
static void addPlace(Text *text, const char *role, size_t i) {
  add(text, role);
  add(text, " ");
  addNumber(text, (int64_t)i);
  add(text, ": ");
}

#endif /* QUANT_SUPPORT_TEXT_H */
