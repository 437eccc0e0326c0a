# Build rules shared by every folder of the project.

set_property(GLOBAL PROPERTY QUANT_LIBS "")

# Nearly all of a build is parsing MLIR's headers. With QUANT_PRECOMPILE_HEADERS
# those that most files share are parsed once; every library takes them from
# the target quant-pch. Sources still include what they use.
if(QUANT_PRECOMPILE_HEADERS)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/quant-pch.cpp "")
  add_library(quant-pch STATIC ${CMAKE_CURRENT_BINARY_DIR}/quant-pch.cpp)
  target_precompile_headers(quant-pch PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h>
    <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/LLVMIR/LLVMDialect.h>
    <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/Math/IR/Math.h>
    <mlir/Dialect/MemRef/IR/MemRef.h>
    <mlir/Dialect/Quant/IR/Quant.h>
    <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/IR/PatternMatch.h>
    <mlir/Pass/Pass.h>)
endif()

# add_quant_library(<name> <sources>... [LINK_LIBS <libs>...])
# A static, position independent library that links the shared libMLIR and
# libLLVM, is exported to the install tree as QuantMLIR::<name>, and waits for
# all of the project's TableGen headers.
function(add_quant_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_dependencies(${name} quant-headers)
  if(QUANT_PRECOMPILE_HEADERS)
    target_precompile_headers(${name} REUSE_FROM quant-pch)
  endif()
  # Nearly all of a build is parsing MLIR's headers: once for a dozen sources.
  if(QUANT_UNITY_BUILD)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON
      UNITY_BUILD_BATCH_SIZE 12)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} MLIR LLVM)
  target_include_directories(${name} INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_property(GLOBAL APPEND PROPERTY QUANT_LIBS ${name})
  install(TARGETS ${name} EXPORT QuantMLIRTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# add_quant_doc(<td file> <generator> <output>)
# Generates docs/<output> in the build tree as part of the target quant-doc.
function(add_quant_doc td generator output)
  set(LLVM_TARGET_DEFINITIONS ${td})
  tablegen(MLIR ${output} ${generator} ${ARGN}
    -I${PROJECT_SOURCE_DIR}/include)
  set(out ${PROJECT_BINARY_DIR}/docs/${output})
  get_filename_component(outdir ${out} DIRECTORY)
  file(MAKE_DIRECTORY ${outdir})
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/${output} ${out}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${output})
  string(REPLACE "/" "_" tgt ${output})
  add_custom_target(quant-doc-${tgt} DEPENDS ${out})
  add_dependencies(quant-doc quant-doc-${tgt})
endfunction()
