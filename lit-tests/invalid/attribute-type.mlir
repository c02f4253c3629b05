// An attribute of another kind than the operation takes.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: attribute-type.mlir:[[@LINE+2]]:8: error: `iota_dimension` of stablehlo.iota should be an i64
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.iota"() <{iota_dimension = "zero"}> : () -> tensor<2xf32>
  return %x : tensor<2xf32>
}
