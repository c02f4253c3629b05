// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks 2>&1 >/dev/null | FileCheck %s
// Changing one constant of the cost file flips each choice.
// RUN: sed 's/"stream_launch_us": 4.0/"stream_launch_us": 0.1/' %S/../../compiler/costs/h100.json > %t.stream.json
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --costs=%t.stream.json 2>&1 >/dev/null | FileCheck %s --check-prefix=STREAM
// RUN: sed 's/"patch_node_us": 0.54/"patch_node_us": 54.0/' %S/../../compiler/costs/h100.json > %t.patch.json
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --costs=%t.patch.json 2>&1 >/dev/null | FileCheck %s --check-prefix=PATCH
// RUN: sed 's/"loop_iteration_us": 4.6/"loop_iteration_us": 46.0/' %S/../../compiler/costs/h100.json > %t.loop.json
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --costs=%t.loop.json 2>&1 >/dev/null | FileCheck %s --check-prefix=LOOP
// A profile stands for the estimates that it has times for.
// RUN: echo '{"device": "a card", "segments": {"small/s0": {"graph": 9.5}, "other/s0": {"stream": 1.0}}}' > %t.profile.json
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --profile=%t.profile.json 2>&1 >/dev/null | FileCheck %s --check-prefix=PROFILE
// A form that is asked for is taken where there is one, and the nearest where not.
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --deploy=host-loop 2>&1 >/dev/null | FileCheck %s --check-prefix=HOST
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan --remarks --deploy=graph 2>&1 >/dev/null | FileCheck %s --check-prefix=GRAPH
// The choice is written into the IR, which a second run leaves alone.
// RUN: %pygraph-opt %s --split-input-file --stop-after=plan > %t.once
// RUN: FileCheck %s --check-prefix=IR < %t.once
// RUN: %pygraph-opt %t.once --split-input-file --choose-deployment --deploy=stream | diff %t.once -
// Files and forms that there are not.
// RUN: not %pygraph-opt %s --deploy=fast 2>&1 | FileCheck %s --check-prefix=NO-FORM
// NO-FORM: error: --deploy: no form is named `fast`; there are stream, graph, graph-copies, device-loop, host-loop
// RUN: not %pygraph-opt %s --costs=%t.missing 2>&1 | FileCheck %s --check-prefix=NO-FILE
// NO-FILE: error: --costs: cannot read {{.*}}.missing: No such file or directory
// RUN: sed 's/"loop_trips"/"trips"/' %S/../../compiler/costs/h100.json > %t.wrong.json
// RUN: not %pygraph-opt %s --costs=%t.wrong.json 2>&1 | FileCheck %s --check-prefix=WRONG-FILE
// WRONG-FILE: error: --costs: {{.*}}wrong.json: unknown field `trips`
// RUN: sed 's/"copy_bytes_per_us": 1420000.0/"copy_bytes_per_us": 0/' %S/../../compiler/costs/h100.json > %t.zero.json
// RUN: not %pygraph-opt %s --costs=%t.zero.json 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: error: --costs: {{.*}}zero.json: `copy_bytes_per_us` is 0, which should be above 0
// RUN: not %pygraph-opt %s --remarks=xml 2>&1 | FileCheck %s --check-prefix=NO-FORMAT
// NO-FORMAT: error: --remarks: `xml` is neither text nor json

// Two small launches: a graph saves their start. The second cannot go into the first.
// CHECK: [[#@LINE+7]]:1: remark: choice: segment @s0: the cheapest: graph 3.7 us a step, estimated; rivals: stream 8.0 us
// STREAM: [[#@LINE+6]]:1: remark: choice: segment @s0: the cheapest: stream 0.2 us a step, estimated; rivals: graph 3.7 us
// PROFILE: [[#@LINE+5]]:1: remark: choice: segment @s0: the cheapest: stream 8.0 us a step, measured; rivals: graph 9.5 us
// HOST: remark: choice: segment @s0: the nearest to what was asked for: graph 3.7 us
// GRAPH: remark: choice: segment @s0: asked for: graph 3.7 us
// IR-LABEL: @small
// IR: {block = @small_s0, deploy = "graph", estimates_us = {graph = {{.*}} : f64, stream = 8.0 : f64}, sym_name = "s0"}
func.func @small(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0:2 = "stablehlo.sort"(%x, %x) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
    %1 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  }) {dimension = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %2:2 = "stablehlo.sort"(%0#1, %0#0) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
    %1 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  }) {dimension = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %2#1 : tensor<4xf32>
}

// -----

// One launch that is longer than its start: no graph pays.
// CHECK: remark: choice: segment @s0: the cheapest: stream 172.6 us a step, estimated; rivals: graph 175.4 us
// IR-LABEL: @large
// IR: deploy = "stream"
func.func @large(%x: tensor<67108864xf32>) -> tensor<67108864xf32> {
  %0 = stablehlo.negate %x : tensor<67108864xf32>
  return %0 : tensor<67108864xf32>
}

// -----

// A library's product of an argument that is new each step: the node is patched, or the argument copied where that is dearer.
// CHECK: remark: choice: segment @s0: the cheapest: graph {{.*}} us a step, estimated; rivals: stream {{.*}} us, graph-copies {{.*}} us
// PATCH: remark: choice: segment @s0: the cheapest: graph-copies {{.*}} us a step, estimated; rivals: stream {{.*}} us, graph {{.*}} us
func.func @library(%x: tensor<64x64xf32> {pyg.bind = "step"}, %w: tensor<64x64xf32> {pyg.bind = "once"}) -> tensor<64x64xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = stablehlo.dot_general %0, %w, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = stablehlo.dot_general %1, %w, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %2 : tensor<64x64xf32>
}

// -----

// A loop runs on the device, unless an iteration costs too much there.
// CHECK: remark: choice: segment @s0: the cheapest: device-loop {{.*}} us a step, estimated; rivals: stream {{.*}} us, host-loop {{.*}} us
// LOOP: remark: choice: segment @s0: the cheapest: host-loop {{.*}} us a step, estimated; rivals: stream {{.*}} us, device-loop {{.*}} us
// HOST: remark: choice: segment @s0: asked for: host-loop
// GRAPH: remark: choice: segment @s0: the nearest to what was asked for: device-loop
func.func @loop(%n: tensor<i32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %one = stablehlo.constant dense<1> : tensor<i32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %n, %v = %x) : tensor<i32>, tensor<4xf32>
  cond {
    %p = stablehlo.compare GT, %i, %zero : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %j = stablehlo.subtract %i, %one : tensor<i32>
    %w = stablehlo.sine %v : tensor<4xf32>
    stablehlo.return %j, %w : tensor<i32>, tensor<4xf32>
  }
  return %0#1 : tensor<4xf32>
}
