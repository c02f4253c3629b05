// RUN: %pygraph-opt %s --make-graphable --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --make-graphable --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A small CPU argument becomes a value of the block, a large one is uploaded, a fixed one is uploaded once; one that nobody
// reads is left alone.
// REMARK: [[#@LINE+12]]:1: remark: rescue: argument `scale`: it is on the CPU and read by the device: its 4 bytes become a field of the parameter block
// REMARK: remark: rescue: argument `table`: it is on the CPU and read by the device: its 128 bytes are uploaded once a step, before the first segment; give it in the device's memory, and nothing is copied
// REMARK: remark: rescue: argument `weight`: it is on the CPU and fixed: its 128 bytes are uploaded once, when the model is loaded
// REMARK-NOT: argument `unread`
// REMARK: remark: rescue: argument `n`: it is on the CPU and read by the device: its 8 bytes
// CHECK-LABEL: @arguments
// CHECK-SAME: pyg.bind = "step", pyg.name = "x"
// CHECK-SAME: pyg.bind = "host", pyg.name = "scale"}
// CHECK-SAME: pyg.bind = "step", pyg.name = "table", pyg.place = "host"}
// CHECK-SAME: pyg.bind = "once", pyg.name = "weight"}
// CHECK-SAME: pyg.bind = "step", pyg.name = "unread"}
// CHECK-SAME: pyg.bind = "host", pyg.name = "n"}
func.func @arguments(
    %x: tensor<32xf32> {fx.device = "cuda:0", fx.kind = "user_input", pyg.bind = "step", pyg.name = "x"},
    %scale: tensor<f32> {fx.device = "cpu", fx.kind = "user_input", pyg.bind = "step", pyg.name = "scale"},
    %table: tensor<32xf32> {fx.device = "cpu", fx.kind = "user_input", pyg.bind = "step", pyg.name = "table"},
    %weight: tensor<32xf32> {fx.device = "cpu", fx.kind = "parameter", pyg.bind = "once", pyg.name = "weight"},
    %unread: tensor<f32> {fx.device = "cpu", fx.kind = "user_input", pyg.bind = "step", pyg.name = "unread"},
    %n: tensor<i64> {fx.kind = "user_input", pyg.bind = "step", pyg.name = "n"}) -> tensor<32xf32> {
  %0 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<32xf32>
  %1 = stablehlo.add %x, %0 : tensor<32xf32>
  %2 = stablehlo.add %1, %table : tensor<32xf32>
  %3 = stablehlo.add %2, %weight : tensor<32xf32>
  %4 = stablehlo.convert %n : (tensor<i64>) -> tensor<f32>
  %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<32xf32>
  %6 = stablehlo.add %3, %5 : tensor<32xf32>
  return %6 : tensor<32xf32>
}

// -----

// Computation and results on the CPU. What does more than compute stays the host's.
// REMARK: [[#@LINE+12]]:8: remark: rescue: stablehlo.negate: it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back
// REMARK: [[#@LINE+12]]:8: remark: rescue: stablehlo.constant: it is made on the CPU: it becomes a constant of the device
// REMARK-NOT: custom_call
// REMARK: remark: rescue: result 0: it is wanted on the CPU: it is computed on the device, and its 16 bytes are copied after the last segment
// CHECK-LABEL: @computation
// CHECK-SAME: -> (tensor<4xf32> {fx.device = "cpu", fx.kind = "user_output", pyg.place = "host"})
// What is said of devices has been acted on, and goes.
// CHECK-NEXT: stablehlo.negate %x : tensor<4xf32>
// CHECK-NEXT: stablehlo.constant dense<1.0> : tensor<4xf32>
// CHECK: stablehlo.custom_call @log({{.*}}) {fx.device = "cpu", has_side_effect = true}
func.func @computation(%x: tensor<4xf32> {fx.device = "cuda:0", pyg.bind = "step", pyg.name = "x"})
    -> (tensor<4xf32> {fx.device = "cpu", fx.kind = "user_output"}) {
  %0 = stablehlo.negate %x {fx.device = "cpu"} : tensor<4xf32>
  %1 = stablehlo.constant {fx.device = "cpu"} dense<1.0> : tensor<4xf32>
  %2 = stablehlo.add %0, %1 {fx.device = "cuda:0"} : tensor<4xf32>
  stablehlo.custom_call @log(%2) {fx.device = "cpu", has_side_effect = true} : (tensor<4xf32>) -> ()
  return %2 : tensor<4xf32>
}

// -----

// JAX says it with memory kinds and compute types.
// REMARK: remark: rescue: argument `s`: it is on the CPU and read by the device: its 4 bytes
// REMARK: remark: rescue: stablehlo.multiply: it is computed on the CPU
// REMARK: remark: rescue: result 0: it is wanted on the CPU
// CHECK-LABEL: @jax
// CHECK-SAME: pyg.bind = "host"
// CHECK-SAME: mhlo.memory_kind = "pinned_host", pyg.place = "host"
func.func @jax(%s: tensor<f32> {mhlo.memory_kind = "pinned_host", pyg.bind = "step", pyg.name = "s"})
    -> (tensor<f32> {mhlo.memory_kind = "pinned_host"}) {
  %0 = stablehlo.multiply %s, %s {mhlo.frontend_attributes = {_xla_compute_type = "host"}} : tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A program that is all on the CPU means the device by it.
// REMARK-NOT: remark
// CHECK-LABEL: @all_on_cpu
// CHECK-SAME: pyg.bind = "step"
// CHECK-NOT: pyg.place
func.func @all_on_cpu(%s: tensor<f32> {fx.device = "cpu", fx.kind = "user_input", pyg.bind = "step", pyg.name = "s"})
    -> (tensor<f32> {fx.device = "cpu"}) {
  %0 = stablehlo.negate %s {fx.device = "cpu"} : tensor<f32>
  return %0 : tensor<f32>
}
