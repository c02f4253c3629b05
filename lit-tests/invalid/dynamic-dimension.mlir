// Dimensions that are not known verify; code for them is refused.
// RUN: sh -c '%pygraph-compile %s -o %t.pyg; test $? = 1' 2>&1 | FileCheck %s

// CHECK: dynamic-dimension.mlir:[[@LINE+2]]:8: error: `stablehlo.negate` does not run yet: a shape known only when the model runs needs dynamic dimensions: export with fixed shapes
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = stablehlo.negate %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
