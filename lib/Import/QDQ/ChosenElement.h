//===- ChosenElement.h - integers from several tensors ----------*- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QDQ_CHOSENELEMENT_H
#define QUANT_LIB_IMPORT_QDQ_CHOSENELEMENT_H

#include "quant/Import/QDQ/StoredElement.h"

namespace quantmlir {

/// Reads a `select` between two elements that `match` reads, or between one and
/// 0, as one that is stored.
std::optional<StoredElement> matchChosen(
    Elements &elements, const Element *element,
    llvm::function_ref<std::optional<StoredElement>(const Element *)> match);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QDQ_CHOSENELEMENT_H
