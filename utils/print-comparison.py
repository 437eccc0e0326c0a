#!/usr/bin/env python3
"""Prints a report of `quant-run --compare --report` as a table.

    print-comparison.py REPORT.json
"""

import json
import pathlib
import sys


def milliseconds(timing):
    return f"{timing['median_ms']:.4g} ms" if timing else "not measured"


def rate(timing):
    value = timing.get("gmac_per_s") if timing else None
    return "n/a" if value is None else f"{value:.1f}"


def rows(report):
    """(what, of the float program, of the quantized one)"""
    compared = report["compare"]
    if compared["reference"] != "float":
        sys.exit("error: the report compares with "
                 f"`{compared['reference']}`, not with float")
    sizes, matmuls = report["bytes"], report["matmuls"]
    before, after = compared.get("timing"), report.get("timing")
    yield ("matmuls with a weight in integers", "0",
           f"{matmuls['integer']} of {matmuls['with_weight']}")
    yield ("bytes of the matmuls' weights", f"{sizes['weights_before']:,}",
           f"{sizes['weights_after']:,}")
    yield ("bytes of all constants", f"{sizes['constants_before']:,}",
           f"{sizes['constants_after']:,}")
    for i, result in enumerate(compared["results"]):
        suffix = f" of result {i}" if len(compared["results"]) > 1 else ""
        sqnr = result["sqnr_db"]
        yield f"cosine{suffix}", "1", f"{result['cosine']:.6f}"
        yield (f"SQNR{suffix}", "-",
               "equal" if sqnr is None else f"{sqnr:.2f} dB")
        yield (f"max absolute error{suffix}", "-",
               f"{result['max_abs_error']:.4g}")
    yield "time, median", milliseconds(before), milliseconds(after)
    yield "GMAC/s of weight matmuls", rate(before), rate(after)
    if before and after and after["median_ms"]:
        yield ("speed", "1",
               f"{before['median_ms'] / after['median_ms']:.2f}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    report = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if "compare" not in report:
        sys.exit("error: the report has no comparison (quant-run --compare)")
    table = [("", "float", f"quantized ({report['target']})"), *rows(report)]
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    print(f"{pathlib.Path(report['model']).stem}: "
          f"{report['quantize'] or 'as it is'}")
    for number, row in enumerate(table):
        print(f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  "
              f"{row[2]:>{widths[2]}}")
        if not number:
            print("  " + "-" * (sum(widths) + 4))
    for skipped in report["matmuls"]["skipped"]:
        print(f"  {skipped['count']} x left in float: {skipped['reason']}")


if __name__ == "__main__":
    main()
