// A custom call without an entry in the table is refused by name.
// RUN: sh -c '%pygraph-compile %s -o %t.pyg; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-custom-call.mlir:[[@LINE+2]]:8: error: custom call `@my_kernel` is not known: it needs a kernel of that name
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.custom_call @my_kernel(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
