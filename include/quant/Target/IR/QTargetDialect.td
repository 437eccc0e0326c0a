//===- QTargetDialect.td - the dialect of targets ---------*- tablegen -*-===//
//
// The companion dialect `qtarget`. Attributes cannot be added to upstream's
// `quant` dialect from outside, so descriptions of machines live here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_QTARGETDIALECT_TD
#define QUANT_TARGET_IR_QTARGETDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def QTarget_Dialect : Dialect {
  let name = "qtarget";
  let cppNamespace = "::quantmlir::qtarget";
  let summary = "Packed matmuls and the machines that they run on";
  let description = [{
    One op, `qtarget.packed_matmul`, and attributes: a target
    (`#qtarget.target`), which is an architecture, a name, a list of feature
    names and a memory hierarchy; a layout (`#qtarget.layout`) and a schedule
    (`#qtarget.schedule`) of a packed matmul; and the kernels of every target
    that was registered, `#qtarget.<target><kernel>`, which implement
    MatmulKernelInterface. A target's attribute class is its own library's.
    Passes ask the attributes; they never switch on the machine.
  }];
  let extraClassDeclaration = [{
    ::mlir::Attribute parseAttribute(::mlir::DialectAsmParser &parser,
                                     ::mlir::Type type) const override;
    void printAttribute(::mlir::Attribute attr,
                        ::mlir::DialectAsmPrinter &printer) const override;

    /// Adds a target, whose kernels are attributes of the class `Kernel`.
    template <typename Kernel>
    void addKernels(std::unique_ptr<TargetKernels> kernels) {
      addAttributes<Kernel>();
      addTarget({Kernel::getMnemonic(), ::mlir::TypeID::get<Kernel>(),
                 [](::mlir::AsmParser &parser) -> ::mlir::Attribute {
                   return Kernel::parse(parser, {});
                 },
                 [](::mlir::Attribute attr, ::mlir::AsmPrinter &printer) {
                   ::llvm::cast<Kernel>(attr).print(printer);
                 }},
                std::move(kernels));
    }
    /// The targets that were added.
    ::llvm::ArrayRef<std::unique_ptr<TargetKernels>> getTargets() const {
      return targets;
    }

  private:
    /// The syntax of one target's kernels.
    struct KernelSyntax {
      ::llvm::StringRef mnemonic;
      ::mlir::TypeID type;
      ::mlir::Attribute (*parse)(::mlir::AsmParser &);
      void (*print)(::mlir::Attribute, ::mlir::AsmPrinter &);
    };
    void addTarget(KernelSyntax syntax, std::unique_ptr<TargetKernels> kernels);

    ::llvm::SmallVector<KernelSyntax> syntaxes;
    ::llvm::SmallVector<std::unique_ptr<TargetKernels>> targets;

  public:
  }];
}

#endif // QUANT_TARGET_IR_QTARGETDIALECT_TD
