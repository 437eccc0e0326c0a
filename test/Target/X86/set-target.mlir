// The features come from LLVM's table of processors, only those that a
// decision depends on; options add and remove, with what they imply.

// RUN: quant-opt --quant-set-target="cpu=icelake-server" %s | FileCheck %s --check-prefix=ICX
// RUN: quant-opt --quant-set-target="cpu=haswell" %s | FileCheck %s --check-prefix=HSW
// RUN: quant-opt --quant-set-target="cpu=x86-64" %s | FileCheck %s --check-prefix=BASE
// RUN: quant-opt --quant-set-target="cpu=alderlake" %s | FileCheck %s --check-prefix=ADL
// RUN: quant-opt --quant-set-target="cpu=sapphirerapids" %s | FileCheck %s --check-prefix=SPR
// RUN: quant-opt --quant-set-target="cpu=icelake-server features=-avx512vnni,+avxvnni" %s | FileCheck %s --check-prefix=EDIT
// RUN: quant-opt --quant-set-target %s | FileCheck %s --check-prefix=HOST

// ICX: qtarget.target = #qtarget.target<arch = "x86_64", cpu = "icelake-server",
// ICX-SAME: "avx512bw"{{.*}}"avx512vnni"
// HSW: features = ["avx2", "f16c", "fma", "sse4.1"]
// BASE: features = []
// ADL: "avx2", "avxvnni"
// ADL-NOT: avx512
// SPR: "amx-int8", "amx-tile"
// SPR-SAME: "avx512vnni"
// EDIT-NOT: "avx512vnni"
// EDIT: "avxvnni"
// HOST: qtarget.target = #qtarget.target<arch = "x86_64", cpu =
module {}
