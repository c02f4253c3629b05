// RUN: %pygraph-opt %s --thread-random-state --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --assign-bindings --thread-random-state --split-input-file | FileCheck %s --check-prefix=BOUND

// Two operations take consecutive parts of the stream, four offsets each, and the result says how far it went.
// CHECK-LABEL: @two
// CHECK-SAME: (%[[X:.*]]: tensor<f32>, %[[STATE:.*]]: tensor<2xui64> {pyg.bind = "state", pyg.initial = "random_state", pyg.name = "rng_state", pyg.updated_by = 3 : i64})
// CHECK-SAME: -> (tensor<2x3xf32>, tensor<4xf64>, tensor<f32>, tensor<2xui64> {pyg.name = "rng_state"})
// BOUND: @two(%x: tensor<f32> {pyg.bind = "step", pyg.name = "arg0"}, %rng_state: tensor<2xui64> {pyg.bind = "state", pyg.initial = "random_state", pyg.name = "rng_state", pyg.updated_by = 3 : i64})
func.func @two(%x: tensor<f32>) -> (tensor<2x3xf32>, tensor<4xf64>, tensor<f32>) {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<[2, 3]> : tensor<2xi64>
  // Key and counter come from the state; the position of the element is the upper half of the counter.
  // CHECK: %[[AT:.*]] = stablehlo.iota dim = 0 : tensor<6xui64>
  // CHECK: %[[SEED:.*]] = stablehlo.slice %[[STATE]] [0:1]
  // CHECK: %[[SEED0:.*]] = stablehlo.reshape %[[SEED]]
  // CHECK: %[[SEEDS:.*]] = stablehlo.broadcast_in_dim %[[SEED0]]
  // CHECK: %[[OFFSET:.*]] = stablehlo.slice %[[STATE]] [1:2]
  // CHECK: %[[OFFSET0:.*]] = stablehlo.reshape %[[OFFSET]]
  // CHECK: %[[OFFSETS:.*]] = stablehlo.broadcast_in_dim %[[OFFSET0]]
  // CHECK: "stablehlo.map"(%[[AT]], %[[SEEDS]], %[[OFFSETS]]) ({
  // CHECK-NEXT: ^bb0(%{{.*}}: tensor<ui64>, %{{.*}}: tensor<ui64>, %[[O:.*]]: tensor<ui64>):
  // CHECK-NEXT: %[[BEFORE:.*]] = stablehlo.constant dense<0> : tensor<ui64>
  // CHECK-NEXT: stablehlo.add %[[O]], %[[BEFORE]]
  // Ten rounds of Philox: two high halves of products each.
  // CHECK-COUNT-20: chlo.mulhi
  // CHECK-NOT: chlo.mulhi
  // CHECK: stablehlo.return %{{.*}} : tensor<f32>
  // CHECK: stablehlo.reshape %{{.*}} : (tensor<6xf32>) -> tensor<2x3xf32>
  %0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x3xf32>
  %n = stablehlo.constant dense<4> : tensor<1xi64>
  %c = stablehlo.constant dense<2.0> : tensor<f64>
  // CHECK: "stablehlo.map"
  // CHECK: %[[BEFORE:.*]] = stablehlo.constant dense<4> : tensor<ui64>
  // CHECK-NEXT: stablehlo.add %{{.*}}, %[[BEFORE]]
  // CHECK-COUNT-20: chlo.mulhi
  // CHECK: stablehlo.log
  // CHECK: stablehlo.sine
  // CHECK-NOT: stablehlo.rng
  %1 = stablehlo.rng %c, %c, %n, distribution = NORMAL : (tensor<f64>, tensor<f64>, tensor<1xi64>) -> tensor<4xf64>
  // CHECK: %[[DRAWN:.*]] = stablehlo.constant dense<[0, 8]> : tensor<2xui64>
  // CHECK-NEXT: %[[AFTER:.*]] = stablehlo.add %[[STATE]], %[[DRAWN]] : tensor<2xui64>
  // CHECK-NEXT: return %{{.*}}, %{{.*}}, %[[X]], %[[AFTER]]
  return %0, %1, %x : tensor<2x3xf32>, tensor<4xf64>, tensor<f32>
}

// -----

// A loop carries the state: each turn draws from where the one before ended, and what follows from where the last did.
// CHECK-LABEL: @loop
// CHECK-SAME: (%[[STATE:.*]]: tensor<2xui64> {{.*}}pyg.updated_by = 1 : i64})
func.func @loop() -> tensor<3xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<3> : tensor<1xi64>
  %i0 = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<5> : tensor<i32>
  // CHECK: "stablehlo.map"
  %first = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<3xf32>
  // CHECK: %[[DRAWN:.*]] = stablehlo.constant dense<[0, 4]> : tensor<2xui64>
  // CHECK-NEXT: %[[BEFORE:.*]] = stablehlo.add %[[STATE]], %[[DRAWN]]
  // CHECK: %{{.*}}, %{{.*}}, %[[LOOP:.*]] = stablehlo.while(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[CARRIED:.*]] = %[[BEFORE]])
  %l:2 = stablehlo.while(%i = %i0, %x = %first) : tensor<i32>, tensor<3xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    // CHECK: do {
    // CHECK: stablehlo.slice %[[CARRIED]] [0:1]
    // CHECK: stablehlo.slice %[[CARRIED]] [1:2]
    // CHECK: dense<0> : tensor<ui64>
    %0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<3xf32>
    // CHECK: dense<4> : tensor<ui64>
    %1 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<3xf32>
    %2 = stablehlo.add %x, %0 : tensor<3xf32>
    %3 = stablehlo.add %2, %1 : tensor<3xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    // CHECK: %[[DRAWN:.*]] = stablehlo.constant dense<[0, 8]> : tensor<2xui64>
    // CHECK-NEXT: %[[NEXT:.*]] = stablehlo.add %[[CARRIED]], %[[DRAWN]]
    // CHECK-NEXT: stablehlo.return %{{.*}}, %{{.*}}, %[[NEXT]]
    stablehlo.return %j, %3 : tensor<i32>, tensor<3xf32>
  }
  // CHECK: stablehlo.slice %[[LOOP]] [0:1]
  %last = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<3xf32>
  %r = stablehlo.add %l#1, %last : tensor<3xf32>
  // CHECK: %[[AFTER:.*]] = stablehlo.add %[[LOOP]], %{{.*}} : tensor<2xui64>
  // CHECK-NEXT: return %{{.*}}, %[[AFTER]]
  return %r : tensor<3xf32>
}

// -----

// Branches begin with the state, and give back what each has left of it; a loop in one is nothing special.
// CHECK-LABEL: @branches
// CHECK-SAME: (%{{.*}}: tensor<i1>, %[[STATE:.*]]: tensor<2xui64>
func.func @branches(%p: tensor<i1>) -> tensor<2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %zero = stablehlo.constant dense<0.0> : tensor<2xf32>
  // CHECK: %[[IF:.*]]:2 = "stablehlo.if"
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
    // CHECK: stablehlo.slice %[[STATE]] [0:1]
    // CHECK: %[[AFTER:.*]] = stablehlo.add %[[STATE]], %{{.*}} : tensor<2xui64>
    // CHECK-NEXT: stablehlo.return %{{.*}}, %[[AFTER]]
    stablehlo.return %1 : tensor<2xf32>
  }, {
    // CHECK: stablehlo.return %{{.*}}, %[[STATE]]
    stablehlo.return %zero : tensor<2xf32>
  }) : (tensor<i1>) -> tensor<2xf32>
  // CHECK: return %[[IF]]#0, %[[IF]]#1
  return %0 : tensor<2xf32>
}

// -----

// Integers, 16-bit floats drawn in f32, nothing at all.
// CHECK-LABEL: @types
func.func @types() -> (tensor<4xi8>, tensor<4xbf16>, tensor<0xf32>, tensor<2xi1>) {
  %lo = stablehlo.constant dense<-3> : tensor<i8>
  %hi = stablehlo.constant dense<4> : tensor<i8>
  %s = stablehlo.constant dense<4> : tensor<1xi64>
  // CHECK: stablehlo.return %{{.*}} : tensor<ui64>
  // CHECK: stablehlo.remainder %{{.*}} : tensor<4xui64>
  // CHECK: stablehlo.convert %{{.*}} : (tensor<4xi64>) -> tensor<4xi8>
  %0 = stablehlo.rng %lo, %hi, %s, distribution = UNIFORM : (tensor<i8>, tensor<i8>, tensor<1xi64>) -> tensor<4xi8>
  %a = stablehlo.constant dense<0.0> : tensor<bf16>
  %b = stablehlo.constant dense<1.0> : tensor<bf16>
  // What rounds to the upper bound becomes the lower one.
  // CHECK: stablehlo.return %{{.*}} : tensor<f32>
  // CHECK: %[[ROUNDED:.*]] = stablehlo.convert %{{.*}} : (tensor<4xf32>) -> tensor<4xbf16>
  // CHECK: %[[IS_HIGH:.*]] = stablehlo.compare EQ, %[[ROUNDED]]
  // CHECK: stablehlo.select %[[IS_HIGH]], %{{.*}}, %[[ROUNDED]]
  %1 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<bf16>, tensor<bf16>, tensor<1xi64>) -> tensor<4xbf16>
  %c = stablehlo.constant dense<1.0> : tensor<f32>
  %z = stablehlo.constant dense<0> : tensor<1xi64>
  %2 = stablehlo.rng %c, %c, %z, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<0xf32>
  %f = stablehlo.constant dense<false> : tensor<i1>
  %t = stablehlo.constant dense<true> : tensor<i1>
  %n = stablehlo.constant dense<2> : tensor<1xi64>
  // CHECK: stablehlo.convert %{{.*}} : (tensor<2xui64>) -> tensor<2xi1>
  %3 = stablehlo.rng %f, %t, %n, distribution = UNIFORM : (tensor<i1>, tensor<i1>, tensor<1xi64>) -> tensor<2xi1>
  // Three operations drew; the empty one did not.
  // CHECK: stablehlo.constant dense<[0, 12]> : tensor<2xui64>
  return %0, %1, %2, %3 : tensor<4xi8>, tensor<4xbf16>, tensor<0xf32>, tensor<2xi1>
}

// -----

// A name that is taken is left to who has it.
// CHECK-LABEL: @taken
// CHECK-SAME: pyg.name = "rng_state_1", pyg.updated_by = 1 : i64}) -> (tensor<2xf32>, tensor<2xui64> {pyg.name = "rng_state_1"})
func.func @taken(%x: tensor<2xf32> {pyg.name = "rng_state"}) -> tensor<2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %0 = stablehlo.rng %a, %a, %s, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// Nothing to do: no chance, a state of its own, a function that is not called from outside.
// CHECK-LABEL: func.func @explicit(%s: tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui32>) {
// CHECK-NEXT: stablehlo.rng_bit_generator
// CHECK-NEXT: return
func.func @explicit(%s: tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui32>) {
  %0:2 = stablehlo.rng_bit_generator %s, algorithm = PHILOX : (tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui32>)
  return %0#0, %0#1 : tensor<2xui64>, tensor<3xui32>
}
// CHECK-LABEL: @private
// CHECK: stablehlo.rng
func.func private @private() -> tensor<2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %0 = stablehlo.rng %a, %a, %s, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
