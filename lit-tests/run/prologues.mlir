// Work before products in their launches gives the bits of launches of their own, as native code and interpreted.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %pygraph-compile %s -o %t/together.pyg --remarks 2>&1 | FileCheck %s --check-prefix=REMARKS
// REMARKS: `@main` has 3 launches
// RUN: %pygraph-run %t/together.pyg --describe | FileCheck %s
// CHECK: rows of { nest {{.*}}; kernel contract({{.*}}; nest 
// RUN: %pygraph-compile %s -o %t/apart.pyg --no-fuse
// RUN: %pygraph-run %t/apart.pyg --interpret --init random:3 --outputs %t/expected.npz
// RUN: %pygraph-run %t/together.pyg --init random:3 --expect %t/expected.npz --tolerance 0
// RUN: %pygraph-run %t/together.pyg --interpret --init random:3 --expect %t/expected.npz --tolerance 0
// RUN: %pygraph-run %t/together.pyg --order random:5 --init random:3 --expect %t/expected.npz --tolerance 0

func.func @main(%x: tensor<5x96xf32>, %w: tensor<40x96xi8>, %s: tensor<40xf32>, %m: tensor<96x24xi1>, %h: tensor<3x7x32xbf16>, %u: tensor<3x32x16xi8>)
    -> (tensor<5x40xf32>, tensor<5x24xf32>, tensor<3x7x16xbf16>) {
  %0 = stablehlo.convert %w : (tensor<40x96xi8>) -> tensor<40x96xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [0] : (tensor<40xf32>) -> tensor<40x96xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<40x96xf32>
  %3 = stablehlo.dot_general %x, %2, contracting_dims = [1] x [1] : (tensor<5x96xf32>, tensor<40x96xf32>) -> tensor<5x40xf32>
  %4 = stablehlo.tanh %3 : tensor<5x40xf32>
  %5 = stablehlo.convert %m : (tensor<96x24xi1>) -> tensor<96x24xf32>
  %6 = stablehlo.negate %5 : tensor<96x24xf32>
  %7 = stablehlo.dot_general %x, %6, contracting_dims = [1] x [0] : (tensor<5x96xf32>, tensor<96x24xf32>) -> tensor<5x24xf32>
  %8 = stablehlo.convert %u : (tensor<3x32x16xi8>) -> tensor<3x32x16xbf16>
  %9 = stablehlo.multiply %8, %8 : tensor<3x32x16xbf16>
  %10 = stablehlo.dot_general %h, %9, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<3x7x32xbf16>, tensor<3x32x16xbf16>) -> tensor<3x7x16xbf16>
  return %4, %7, %10 : tensor<5x40xf32>, tensor<5x24xf32>, tensor<3x7x16xbf16>
}
