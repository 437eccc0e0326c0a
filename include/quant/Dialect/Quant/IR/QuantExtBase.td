//===- QuantExtBase.td - what all ops are declared with ----*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTEXTBASE_TD
#define QUANT_DIALECT_QUANT_IR_QUANTEXTBASE_TD

include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "mlir/IR/OpBase.td"

// Stored integers: 8 or 4 bits, signless; weights with groups may have 2. An
// op says by its `unsigned` attribute how their bits are read.
def QuantExt_I2 : I<2>;
def QuantExt_I4 : I<4>;
def QuantExt_Stored : AnyTypeOf<[I8, QuantExt_I4], "8-bit or 4-bit signless integer">;
def QuantExt_Expressed : AnyTypeOf<[F32, F16, BF16], "f32, f16 or bf16">;

def QuantExt_GroupedWeight : AnyTypeOf<[I8, QuantExt_I4, QuantExt_I2], "8-bit, 4-bit or 2-bit signless integer">;
def QuantExt_StoredTensor : RankedTensorOf<[QuantExt_Stored]>;
def QuantExt_GroupedWeightTensor : RankedTensorOf<[QuantExt_GroupedWeight]>;
def QuantExt_FloatTensor : RankedTensorOf<[QuantExt_Expressed]>;
def QuantExt_ScaleTensor : RankedTensorOf<[F32]>;
def QuantExt_ZeroPointTensor : RankedTensorOf<[I32]>;
def QuantExt_AccTensor : RankedTensorOf<[I32]>;

def QuantExt_ReifyShapes
    : DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                ["reifyResultShapes"]>;

// What upstream needs to tile an op, and to fuse it into a tiled consumer.
def QuantExt_Tiling : DeclareOpInterfaceMethods<TilingInterface,
    ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
     "getResultTilePosition", "generateResultTileValue",
     "getIterationDomainTileFromResultTile"]>;

class QuantExt_Op<string mnemonic, list<Trait> traits = []>
    : Op<Quant_Dialect, mnemonic, traits> {
  let cppNamespace = "::quantmlir";
}

// Constants are folded by canonicalization patterns, not by `fold`: upstream's
// dialect has no hook that would make a constant op out of a folded attribute.

#endif // QUANT_DIALECT_QUANT_IR_QUANTEXTBASE_TD
