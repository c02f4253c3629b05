// The report of a program that is cut: it is written whether or not the program runs.
// RUN: %pygraph-compile %s --report %t.json --report %t.html --report - | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --check-prefix=JSON < %t.json
// RUN: FileCheck %s --check-prefix=PAGE < %t.html
// With an artifact to write, what does not run is an error, and the report is there.
// RUN: not %pygraph-compile %s --report %t.2.json -o %t.pyg 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: diff %t.json %t.2.json
// RUN: not ls %t.pyg
// RUN: not %pygraph-compile %s --report %t.xml 2>&1 | FileCheck %s --check-prefix=NAME
// A wrong call is found before anything is read or compiled.
// RUN: sh -c '%pygraph-compile %s --remarks=xml --report %t.4.json; test $? = 2' 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not ls %t.4.json
// RUN: %pygraph-compile %s --split-input-file --report %t.part.json && FileCheck %s --check-prefix=JSON < %t.part.0.json

// TABLE: compile-report.mlir, costs of NVIDIA H100
// TABLE-NEXT: @main
// TABLE: segments       1
// TABLE: launches       2 (of 2 before fusion)
// TABLE: in graphs      67 % of 3 operations
// TABLE: block          16 B in 2 fields
// TABLE: inputs copied  0 B a step (static buffers: 16 B)
// TABLE: arena          64 B (lower bound 64 B)
// TABLE: segment @s0    2 launches, graph: graph {{.*}} us, stream 8.0 us
// TABLE: cuts (1)
// TABLE-NEXT: {{.*}}compile-report.mlir:54:3: stablehlo.custom_call @log: custom call `@log` is not known: it needs a kernel of that name; leave the call out of the exported function, or give it a kernel of that name

// JSON-DAG: "arena_bytes_lower_bound": 64,
// JSON-DAG: "arena_bytes_peak": 64,
// JSON-DAG: "block_bytes": 16,
// JSON-DAG: "cuts": [
// JSON-DAG: "op": "stablehlo.custom_call @log",
// JSON-DAG: "remedy": "leave the call out of the exported function, or give it a kernel of that name"
// JSON-DAG: "choice": "graph",
// JSON-DAG: "device_ops": 3,
// JSON-DAG: "device_ops_in_graphs": 2,
// JSON-DAG: "input_bytes_copied": 0,
// JSON-DAG: "input_bytes_static_scheme": 16,
// JSON-DAG: "launches": 2,
// JSON-DAG: "launches_before_fusion": 2,
// JSON-DAG: "segments": 1,

// PAGE: <title>compile-report.mlir</title>
// PAGE: <b class="bad">67 %</b>
// PAGE: segment @s0
// PAGE: <h2>Arena over time</h2>
// PAGE: <h2>What cuts segments (1)</h2>

// ERROR: error: custom call `@log` is not known: it needs a kernel of that name
// FORMAT: error: --remarks: `xml` is neither text nor json
// NAME: error: --report: `{{.*}}.xml` is neither `-` nor a name that ends in .json or .html

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "stablehlo.fft"(%x) {fft_type = #stablehlo<fft_type RFFT>, fft_length = array<i64: 4>} : (tensor<4xf32>) -> tensor<3xcomplex<f32>>
  stablehlo.custom_call @log(%0) {has_side_effect = true} : (tensor<3xcomplex<f32>>) -> ()
  %1 = "stablehlo.fft"(%0) {fft_type = #stablehlo<fft_type IRFFT>, fft_length = array<i64: 4>} : (tensor<3xcomplex<f32>>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
