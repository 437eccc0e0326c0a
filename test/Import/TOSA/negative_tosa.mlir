// RUN: quant-opt --split-input-file --verify-diagnostics --quant-import-tosa %s

// expected-error @below {{'tosa.variable' op expected a variable of a static shape, found 'tensor<?x4xi8>'}}
tosa.variable @state : tensor<?x4xi8>
func.func @dynamic(%x: tensor<?x4xi8>) {
  tosa.variable_write @state, %x : tensor<?x4xi8>
  return
}
