// Each part is an input of its own, with locations of the whole file; without the option the two functions clash.
// RUN: %pygraph-opt %s --pipeline= --split-input-file | FileCheck %s
// RUN: not %pygraph-opt %s --pipeline= 2>&1 | FileCheck %s --check-prefix=WHOLE

// CHECK: func.func @main(%{{.*}}: tensor<2xf32>)
// CHECK: // -----
// CHECK: func.func @main(%{{.*}}: tensor<3xf32>)
// WHOLE: opt-split-input-file.mlir:[[@LINE+6]]:{{[0-9]+}}: error: {{.*}}main
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}
