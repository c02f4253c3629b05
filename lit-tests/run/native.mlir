// Loop nests run as native code, and give the numbers that the interpreter gives.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %pygraph-compile %s -o %t/native.pyg --remarks 2>&1 | FileCheck %s --check-prefix=REMARKS
// RUN: %pygraph-compile %s -o %t/plain.pyg --no-native --remarks 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: %pygraph-run %t/native.pyg --describe | FileCheck %s --check-prefix=CODE
// RUN: %pygraph-run %t/plain.pyg --describe | FileCheck %s --check-prefix=NO-CODE
// RUN: %pygraph-run %t/plain.pyg --init random:3 --outputs %t/expected.npz
// RUN: %pygraph-run %t/native.pyg --init random:3 --expect %t/expected.npz --tolerance 0
// RUN: %pygraph-run %t/native.pyg --interpret --init random:3 --expect %t/expected.npz --tolerance 0
// RUN: not %pygraph-compile %s -o %t/other.pyg --host-cpu=z80 2>&1 | FileCheck %s --check-prefix=CPU

// A complex sum is interpreted, and said to be.
// REMARKS: native.mlir:[[#]]:[[#]]: remark: refusal: {{.*}}: a loop nest is interpreted: it computes with complex<f32>
// REMARKS: remark: choice: native code: {{[1-9][0-9]*}} of {{[0-9]+}} loop nests, by {{[1-9][0-9]*}} functions of {{[0-9]+}} bytes for x86-64-v3
// PLAIN-NOT: native code
// CODE: host code: {{[1-9][0-9]*}} functions, {{[0-9]+}} bytes for x86_64-unknown-linux-gnu with x86-64-v3
// CODE: native {{[0-9]+}}
// NO-CODE-NOT: host code:
// NO-CODE: program `main`
// NO-CODE-NOT: {{ native [0-9]}}
// CPU: pygraph-compile: error: --host-cpu: `z80` is none of x86-64-v2, x86-64-v3, x86-64-v4

func.func @main(%x: tensor<7x100xf32>, %h: tensor<7x100xbf16>, %c: tensor<5xcomplex<f32>>)
    -> (tensor<7x100xf32>, tensor<7xf32>, tensor<100xf32>, tensor<7x100xbf16>, tensor<5xcomplex<f32>>) {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %max = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [1] : (tensor<7x100xf32>, tensor<f32>) -> tensor<7xf32>
  %m = stablehlo.broadcast_in_dim %max, dims = [0] : (tensor<7xf32>) -> tensor<7x100xf32>
  %d = stablehlo.subtract %x, %m : tensor<7x100xf32>
  %e = stablehlo.exponential %d : tensor<7x100xf32>
  %sum = stablehlo.reduce(%e init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<7x100xf32>, tensor<f32>) -> tensor<7xf32>
  %s = stablehlo.broadcast_in_dim %sum, dims = [0] : (tensor<7xf32>) -> tensor<7x100xf32>
  %softmax = stablehlo.divide %e, %s : tensor<7x100xf32>
  %columns = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<7x100xf32>, tensor<f32>) -> tensor<100xf32>
  %hh = stablehlo.multiply %h, %h : tensor<7x100xbf16>
  %cc = stablehlo.add %c, %c : tensor<5xcomplex<f32>>
  return %softmax, %sum, %columns, %hh, %cc : tensor<7x100xf32>, tensor<7xf32>, tensor<100xf32>, tensor<7x100xbf16>, tensor<5xcomplex<f32>>
}
