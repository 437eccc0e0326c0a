//===- HtmlStyle.h - how the page of a report looks -------------*- C++ -*-===//
//
// Style and script of the page: inline, so that it is one file that needs no
// network. Without scripts only sorting is missing.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_RUNTIME_REPORT_HTMLSTYLE_H
#define QUANT_LIB_RUNTIME_REPORT_HTMLSTYLE_H

#include "llvm/ADT/StringRef.h"

namespace quantmlir {

constexpr llvm::StringLiteral kPageStyle = R"(
body { font: 14px system-ui, "DejaVu Sans", sans-serif; margin: 2em auto;
       max-width: 110em; color: #1c2733; padding: 0 1em; }
h1 { font-size: 20px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; text-align: right; white-space: nowrap;
         border-bottom: 1px solid #dde3ea; }
th:first-child, td:first-child, .left { text-align: left; }
th[data-sort] { cursor: pointer; }
th[data-sort]::after { content: " \2195"; color: #9aa5b1; }
th[aria-sort=ascending]::after { content: " \2191"; color: #1c2733; }
th[aria-sort=descending]::after { content: " \2193"; color: #1c2733; }
table.facts th { font-weight: normal; color: #52606d; text-align: left; }
table.facts td { text-align: left; }
tr.worst td { background: #fdeceb; }
tr.float td { color: #7b8794; }
section { margin: 1.5em 0; border-top: 1px solid #dde3ea; }
figure { display: inline-block; margin: .5em 1.5em .5em 0; vertical-align: top; }
figcaption { font-size: 12px; color: #52606d; max-width: 480px; }
svg { display: block; }
svg text { font-size: 11px; fill: #52606d; }
svg .name, svg .value { fill: #1c2733; }
svg .plot { fill: #f7f9fb; }
.bars { fill: #7aa6d6; } .bar { fill: #7aa6d6; } a:hover .bar { fill: #38659b; }
.grid { stroke: #dde3ea; stroke-width: 1; } .edge { stroke: #d64545; }
.axis { stroke: #9aa5b1; } .clip { fill: #d64545; opacity: .15; }
.mark { stroke: #d64545; stroke-width: 2; }
)";

/// A click on a heading sorts by it, numbers as numbers; again: the other way.
constexpr llvm::StringLiteral kPageScript = R"(
for (const head of document.querySelectorAll("th[data-sort]"))
  head.addEventListener("click", () => {
    const table = head.closest("table"), column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[data-sort]"))
      other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => {
      const cell = row.cells[column];
      if (head.dataset.sort === "text") return cell.textContent;
      return cell.dataset.value === undefined ? null : +cell.dataset.value;
    };
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null);
      const order = x < y ? -1 : x > y ? 1 : 0;
      return down ? -order : order;
    });
    table.tBodies[0].append(...rows);
  });
)";

} // namespace quantmlir

#endif // QUANT_LIB_RUNTIME_REPORT_HTMLSTYLE_H
