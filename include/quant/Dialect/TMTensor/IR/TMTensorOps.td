//===- TMTensorOps.td - torch-mlir's ops beside linalg ----*- tablegen -*-===//
//
// The dialect `tm_tensor` as torch-mlir writes it in "linalg-on-tensors": ops
// that linalg lacks. Syntax and meaning are torch-mlir's (externals/
// llvm-external-projects/torch-mlir-dialects, TMTensorOps.td); on tensors only,
// and only to be read.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_TMTENSOR_IR_TMTENSOROPS_TD
#define QUANT_DIALECT_TMTENSOR_IR_TMTENSOROPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TMTensor_Dialect : Dialect {
  let name = "tm_tensor";
  let cppNamespace = "::quantmlir::tm_tensor";
  let summary = "What torch-mlir writes for ops that linalg lacks";
  let description = [{
    Exports of caches that are written at positions (`index_copy`,
    `index_put`), running sums (`cumsum`) and fused attention
    (`scaled_dot_product_attention`) hold these ops, and so does the choice of
    experts (`topk`, a sort). `convert-tm-tensor-to-linalg` replaces them. The
    dialect's own `topk` is not registered: a program that has it is refused.
  }];
}

class TMTensor_Op<string mnemonic, list<Trait> traits = []>
    : Op<TMTensor_Dialect, mnemonic,
         !listconcat([AttrSizedOperandSegments, Pure], traits)> {
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$outputs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
}

def TMTensor_ScanOp : TMTensor_Op<"scan"> {
  let summary = "Running combination along a dimension";
  let description = [{
    `ins(x) outs(y, last)`: y has the shape of x, `last` lacks `dimension`. With f
    the region's function of two scalars,

    ```
    inclusive:  y[0] = x[0],     y[i] = f(y[i - 1], x[i])
    exclusive:  y[0] = last,     y[i] = f(y[i - 1], x[i - 1])
    last = y[size - 1]
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$outputs,
                       I64Attr:$dimension, BoolAttr:$inclusive);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = [{
    `dimension` `(` $dimension `)` `inclusive` `(` $inclusive `)` attr-dict
    `ins` `(` $inputs `:` type($inputs) `)`
    `outs` `(` $outputs `:` type($outputs) `)`
    $region (`->` type($results)^)?
  }];
}

def TMTensor_ScatterOp : TMTensor_Op<"scatter"> {
  let summary = "Slices of a tensor combined with updates at given positions";
  let description = [{
    `ins(updates, indices) outs(original)`: for each row i of `indices` (integers,
    [n, depth]) the slice `updates[i, ...]`, whose dimensions are the last of
    `original`, is put at `original[o]`, o being 0 but for
    `o[dimension_map[d]] = indices[i, d]`. Each element becomes the region's
    function of the update and of what was there. Rows follow each other: where
    positions repeat (`unique_indices(false)`), the last counts. Elements that
    would lie outside of `original` are left out, as XLA's scatter does.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$outputs,
                       DenseI64ArrayAttr:$dimension_map,
                       DefaultValuedAttr<BoolAttr, "true">:$unique_indices);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = [{
    attr-dict `unique_indices` `(` $unique_indices `)`
    (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)`
    $region (`->` type($results)^)?
  }];
}

def TMTensor_AttentionOp : TMTensor_Op<"attention"> {
  let summary = "Scaled dot product attention";
  let description = [{
    `ins(q, k, v[, mask]) outs(y)`: q is [B..., M, D], k [B..., N, D], v [B..., N, E],

    ```
    y = softmax(q k^T / sqrt(D) + mask) v
    ```

    with the softmax along N. A mask of floats is added, one of i1 keeps what is
    true and sets the rest to -inf; it is [B..., M, N], a size of 1 standing for
    every one, or only [M, N].
  }];
  let assemblyFormat = [{
    attr-dict `ins` `(` $inputs `:` type($inputs) `)`
    `outs` `(` $outputs `:` type($outputs) `)` (`->` type($results)^)?
  }];
}

def TMTensor_SortOp : TMTensor_Op<"sort"> {
  let summary = "Tensors sorted together along a dimension";
  let description = [{
    `outs(keys, values...)` of one shape: each line along `dimension` is ordered
    so that the region is true of neighbours. It takes the earlier and the later
    element of each tensor in turn. What it calls ordered stays: with `oge`,
    equal keys keep their order.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$outputs, I64Attr:$dimension);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = [{
    `dimension` `(` $dimension `)` attr-dict
    (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)`
    $region (`->` type($results)^)?
  }];
}

def TMTensor_YieldOp
    : Op<TMTensor_Dialect, "yield", [Pure, ReturnLike, Terminator]> {
  let summary = "What a region of the dialect makes";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

#endif // QUANT_DIALECT_TMTENSOR_IR_TMTENSOROPS_TD
