// RUN: %pygraph-opt %s --inline-calls --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --inline-calls --split-input-file --print-locations | FileCheck %s --check-prefix=LOCATION

// A call of a call: what is left is the innermost operation, in the caller.
// CHECK-LABEL: func.func public @main
// CHECK-NEXT: %[[SUM:.*]] = stablehlo.add %[[X:.*]], %[[X]]
// CHECK-NEXT: return %[[SUM]]
// CHECK-NOT: @twice
// LOCATION: stablehlo.add {{.*}} loc(callsite(callsite("in twice" at {{.*}}) at "in main"))
func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @outer(%x) : (tensor<2xf32>) -> tensor<2xf32> loc("in main")
  return %0 : tensor<2xf32>
}
func.func private @outer(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @twice(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func private @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %x : tensor<2xf32> loc("in twice")
  return %0 : tensor<2xf32>
}

// -----
// Where a call says that it runs on the host, so do the operations of the callee; their own marks win.
// CHECK-LABEL: @marks
// CHECK: stablehlo.negate {{.*}}_xla_compute_type = "host"
// CHECK: stablehlo.abs {{.*}}_xla_compute_type = "device"
// CHECK: stablehlo.sine %{{[0-9]+}} : tensor
func.func @marks(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @on_host(%x) {mhlo.frontend_attributes = {_xla_compute_type = "host"}} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = stablehlo.sine %0 : tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func private @on_host(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  %1 = stablehlo.abs %0 {mhlo.frontend_attributes = {_xla_compute_type = "device"}} : tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// A callee that returns an argument; results in another order; calls in a loop.
// CHECK-LABEL: @shuffled
// CHECK: stablehlo.while
// CHECK-NOT: call
// CHECK: stablehlo.add
// CHECK-NOT: call
func.func @shuffled(%x: tensor<i32>, %y: tensor<i32>) -> tensor<i32> {
  %0:2 = stablehlo.while(%i = %x, %j = %y) : tensor<i32>, tensor<i32>
    cond {
      %c = stablehlo.compare LT, %i, %y : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %c : tensor<i1>
    } do {
      %1:2 = func.call @swap(%i, %j) : (tensor<i32>, tensor<i32>) -> (tensor<i32>, tensor<i32>)
      %2 = stablehlo.add %1#0, %1#1 : tensor<i32>
      stablehlo.return %2, %1#1 : tensor<i32>, tensor<i32>
    }
  return %0#0 : tensor<i32>
}
func.func private @swap(%x: tensor<i32>, %y: tensor<i32>) -> (tensor<i32>, tensor<i32>) {
  return %y, %x : tensor<i32>, tensor<i32>
}

// -----
// Public functions stay, and so do private ones that something refers to.
// CHECK-LABEL: func.func @caller
// CHECK: func.func @also_public
// CHECK: func.func private @referred
// CHECK-NOT: @unreferred
func.func @caller(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @also_public(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = stablehlo.composite "my.op" %0 {decomposition = @referred} : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func @also_public(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func private @referred(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func private @unreferred(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
