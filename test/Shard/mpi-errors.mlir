// RUN: quant-opt %s --verify-diagnostics --quant-convert-mpi-to-llvm

func.func @split(%color: i32, %key: i32) -> !mpi.comm {
  %world = mpi.comm_world : !mpi.comm
  // expected-error @below {{splits the world: only collectives of all ranks are lowered}}
  %part = mpi.comm_split(%world, %color, %key) : !mpi.comm
  return %part : !mpi.comm
}
