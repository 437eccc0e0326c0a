# RUN: env QUANT_CASES=%cases %python %s %build
"""The oracle's forward functions against the frameworks' own results.

In float they agree to 110 dB or more. `out0` of a quantdialect model is the
result of its integers.
"""

import sys

from quantsim import catalog, metrics, qdq, schemes

BUILD = sys.argv[1]

for name, model in catalog.CATALOG.items():
    # Not shipped: too large. The test of the compiler on it says so as well.
    if name.startswith("smollm2") and not catalog.cases_folder():
        print(f"{name}: no folder of cases, not checked")
        continue
    if not model.forward and not name.startswith("quantdialect_"):
        continue
    inputs, arrays = catalog.inputs_and_results(name)
    if model.forward:
        got = model.forward(inputs, catalog.parameters(name, BUILD),
                            schemes.FloatLinear())
    else:
        body = catalog.locate(f"{name}.body.mlir").read_text()
        got, _ = qdq.digits_mlp(body, catalog.constants(name, BUILD),
                                inputs[0])
    db = metrics.sqnr_db(arrays["out0"], got)
    print(f"{name}: {db:.1f} dB")
    assert db >= 110, name
