// A collective is read and verified, and does not run.
// RUN: sh -c '%pygraph-compile %s -o %t.pyg; test $? = 1' 2>&1 | FileCheck %s

// CHECK: collective.mlir:[[@LINE+2]]:8: error: `stablehlo.all_reduce` does not run: programs of several processes need a communicator
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.all_reduce"(%x) <{replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
