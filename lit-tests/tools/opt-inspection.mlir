// What can be seen without a debugger.
// RUN: %pygraph-opt %s --drop-dead-ops --inline-calls --print-ir-after-all -o %t.out 2>&1 | FileCheck %s --check-prefix=ALL
// RUN: %pygraph-opt %s --drop-dead-ops --inline-calls --print-ir-after-change -o %t.out 2>&1 | FileCheck %s --check-prefix=CHANGE
// RUN: %pygraph-opt %s --timing -o %t.out 2>&1 | FileCheck %s --check-prefix=TIMING
// RUN: %pygraph-opt %s --dot | FileCheck %s --check-prefix=DOT
// RUN: %pygraph-opt %s --pipeline= --print-generic | FileCheck %s --check-prefix=GENERIC
// RUN: %pygraph-opt %s --pipeline= --print-locations | FileCheck %s --check-prefix=LOCATIONS
// RUN: %pygraph-opt %s --pipeline= --elide-constants | FileCheck %s --check-prefix=ELIDED

// Numbered files that can be fed back in.
// RUN: rm -rf %t.phases
// RUN: %pygraph-opt %s --drop-dead-ops --dump-phases=%t.phases
// RUN: sh -c '%pygraph-opt --pipeline= $(ls %t.phases/* | tail -n 1)' | FileCheck %s --check-prefix=DUMPED

// ALL: IR after drop-dead-ops
// ALL-NOT: stablehlo.negate
// ALL: IR after inline-calls (no change)
// CHANGE: IR after drop-dead-ops
// CHANGE-NOT: IR after inline-calls
// TIMING: drop-dead-ops
// DOT: digraph
// DOT: add
// GENERIC: "func.func"() {{.*}}
// GENERIC: "stablehlo.negate"(%{{.*}}) : (tensor<16xf32>) -> tensor<16xf32>
// LOCATIONS: stablehlo.negate {{.*}} loc({{.*}}opt-inspection.mlir":[[@LINE+7]]:
// ELIDED-NOT: 5.0
// DUMPED: func.func @main
// DUMPED-NOT: stablehlo.negate
// DUMPED: stablehlo.add
func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> {
  %c = stablehlo.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]> : tensor<16xf32>
  %0 = stablehlo.negate %x : tensor<16xf32>
  %1 = stablehlo.add %x, %c : tensor<16xf32>
  return %1 : tensor<16xf32>
}
