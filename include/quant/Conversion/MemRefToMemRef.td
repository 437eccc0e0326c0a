//===- MemRefToMemRef.td - reshapes ------------------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_MEMREFTOMEMREF_TD
#define QUANT_CONVERSION_MEMREFTOMEMREF_TD

include "mlir/Pass/PassBase.td"

def QuantExpandDynamicReshapesPass
    : Pass<"quant-expand-dynamic-reshapes", "::mlir::ModuleOp"> {
  let summary = "Lower memref.expand_shape with several dynamic sizes in a group";
  let description = [{
    Upstream's `expand-strided-metadata` (22.1.8) takes at most one dynamic
    size in a group of `memref.expand_shape` and crashes on a second one, as
    dynamic batch and sequence give it: `?x384` into `?x?x384`. The op names
    all its sizes, so that it is a `memref.reinterpret_cast` with the strides
    that these sizes give. Ops that upstream can lower are left to it.

    Example:

    ```mlir
    %e = memref.expand_shape %m [[0, 1], [2]] output_shape [%b, %s, 384]
           : memref<?x384xf32> into memref<?x?x384xf32>
    // becomes
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %m
    %t = affine.apply ... // %s * 384
    %e = memref.reinterpret_cast %base to offset: [0],
           sizes: [%b, %s, 384], strides: [%t, 384, 1]
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

#endif // QUANT_CONVERSION_MEMREFTOMEMREF_TD
