// The verdicts on what PyTorch programs do with the CPU: each is rescued, or cut with the reason.
// The models come with expected numbers, which `make test PARTS=models` checks.

// A condition on the device is a choice in the segment.
// RUN: %pygraph-opt %models/fx/cases/cond_hop.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=COND-HOP
// COND-HOP-NOT: remark: cut
// COND-HOP-COUNT-1: "pyg.segment"
// COND-HOP-NOT: "pyg.segment"

// A buffer that counts is state on the device.
// RUN: %pygraph-opt %models/fx/cases/counter_buffer.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=COUNTER-BUFFER
// COUNTER-BUFFER-NOT: remark: cut
// COUNTER-BUFFER-COUNT-1: "pyg.segment"
// COUNTER-BUFFER-NOT: "pyg.segment"

// A CPU buffer is uploaded when the model is loaded.
// RUN: %pygraph-opt %models/fx/cases/cpu_buffer_to_device.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CPU-BUFFER-TO-DEVICE
// CPU-BUFFER-TO-DEVICE: 2:3: remark: rescue: argument `tbl`: it is on the CPU and fixed: its 32 bytes are uploaded once, when the model is loaded
// CPU-BUFFER-TO-DEVICE-NOT: remark: cut
// CPU-BUFFER-TO-DEVICE-COUNT-1: "pyg.segment"
// CPU-BUFFER-TO-DEVICE-NOT: "pyg.segment"

// A table on the CPU goes to the device once; the lookup is done there, and its indices are a field of the block.
// RUN: %pygraph-opt %models/fx/cases/cpu_embedding_offload.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CPU-EMBEDDING-OFFLOAD
// CPU-EMBEDDING-OFFLOAD: 2:3: remark: rescue: argument `emb`: it is on the CPU and fixed: its 1600 bytes are uploaded once, when the model is loaded
// CPU-EMBEDDING-OFFLOAD: 2:3: remark: rescue: argument `a_1`: it is on the CPU and read by the device: its 32 bytes become a field of the parameter block
// CPU-EMBEDDING-OFFLOAD: 3:18: remark: rescue: stablehlo.gather: it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back
// CPU-EMBEDDING-OFFLOAD-NOT: remark: cut
// CPU-EMBEDDING-OFFLOAD-COUNT-1: "pyg.segment"
// CPU-EMBEDDING-OFFLOAD-NOT: "pyg.segment"

// Numbers made on the CPU become constants of the device.
// RUN: %pygraph-opt %models/fx/cases/cpu_full_arange_inside.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CPU-FULL-ARANGE-INSIDE
// CPU-FULL-ARANGE-INSIDE: 3:13: remark: rescue: stablehlo.constant: it is made on the CPU: it becomes a constant of the device
// CPU-FULL-ARANGE-INSIDE: 7:15: remark: rescue: stablehlo.iota: it is made on the CPU: it becomes a constant of the device
// CPU-FULL-ARANGE-INSIDE: 9:19: remark: rescue: stablehlo.convert: it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back
// CPU-FULL-ARANGE-INSIDE-NOT: remark: cut
// CPU-FULL-ARANGE-INSIDE-COUNT-1: "pyg.segment"
// CPU-FULL-ARANGE-INSIDE-NOT: "pyg.segment"

// A CPU scalar becomes a field of the block.
// RUN: %pygraph-opt %models/fx/cases/cpu_scalar_direct.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CPU-SCALAR-DIRECT
// CPU-SCALAR-DIRECT: 2:3: remark: rescue: argument `a_1`: it is on the CPU and read by the device: its 4 bytes become a field of the parameter block
// CPU-SCALAR-DIRECT-NOT: remark: cut
// CPU-SCALAR-DIRECT-COUNT-1: "pyg.segment"
// CPU-SCALAR-DIRECT-NOT: "pyg.segment"

// The same through a copy to the device.
// RUN: %pygraph-opt %models/fx/cases/cpu_scalar_to_device.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CPU-SCALAR-TO-DEVICE
// CPU-SCALAR-TO-DEVICE: 2:3: remark: rescue: argument `a_2`: it is on the CPU and read by the device: its 4 bytes become a field of the parameter block
// CPU-SCALAR-TO-DEVICE-NOT: remark: cut
// CPU-SCALAR-TO-DEVICE-COUNT-1: "pyg.segment"
// CPU-SCALAR-TO-DEVICE-NOT: "pyg.segment"

// A user's operator without a kernel cuts.
// RUN: %pygraph-opt %models/fx/cases/custom_op.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CUSTOM-OP
// CUSTOM-OP: 3:16: remark: cut: pygraph_user.rmsnorm.default: no decomposition for pygraph_user.rmsnorm.default; write a decomposition, or a kernel of that name
// CUSTOM-OP-COUNT-1: "pyg.segment"
// CUSTOM-OP-NOT: "pyg.segment"

// The same where it stores into a buffer.
// RUN: %pygraph-opt %models/fx/cases/custom_op_mutating.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=CUSTOM-OP-MUTATING
// CUSTOM-OP-MUTATING: 3:33: remark: cut: auto_functionalized_v2: no decomposition for auto_functionalized_v2 of pygraph_user.kv_write.default; write a decomposition, or a kernel of that name
// CUSTOM-OP-MUTATING-COUNT-1: "pyg.segment"
// CUSTOM-OP-MUTATING-NOT: "pyg.segment"

// Shapes known only at run time cut at every operation that has one.
// RUN: %pygraph-opt %models/fx/cases/dynamic_batch_mlp.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=DYNAMIC-BATCH-MLP
// DYNAMIC-BATCH-MLP: 4:14: remark: cut: aten.addmm.default: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// DYNAMIC-BATCH-MLP: 5:13: remark: cut: aten.relu.default: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// DYNAMIC-BATCH-MLP: 7:16: remark: cut: aten.addmm.default: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// DYNAMIC-BATCH-MLP-COUNT-1: "pyg.segment"
// DYNAMIC-BATCH-MLP-NOT: "pyg.segment"

// RUN: %pygraph-opt %models/fx/cases/dynamic_seq_attention.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=DYNAMIC-SEQ-ATTENTION
// DYNAMIC-SEQ-ATTENTION: 3:23: remark: cut: aten.sym_size.int: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// DYNAMIC-SEQ-ATTENTION: 4:14: remark: cut: aten.mul.Scalar: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// DYNAMIC-SEQ-ATTENTION: 5:13: remark: cut: aten.full.default: a dimension of its result is known only at run time (it depends on the data), and pygraph runs static shapes; export with fixed shapes, or without this call

// Work on the CPU between work on the device moves to the device.
// RUN: %pygraph-opt %models/fx/cases/gpu_cpu_gpu_sandwich.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=GPU-CPU-GPU-SANDWICH
// GPU-CPU-GPU-SANDWICH: 7:15: remark: rescue: stablehlo.sort: it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back
// GPU-CPU-GPU-SANDWICH-NOT: remark: cut
// GPU-CPU-GPU-SANDWICH-COUNT-1: "pyg.segment"
// GPU-CPU-GPU-SANDWICH-NOT: "pyg.segment"

// A mutated input is state.
// RUN: %pygraph-opt %models/fx/cases/input_mutation.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=INPUT-MUTATION
// INPUT-MUTATION-NOT: remark: cut
// INPUT-MUTATION-COUNT-1: "pyg.segment"
// INPUT-MUTATION-NOT: "pyg.segment"

// `item()` that only feeds the device stays there.
// RUN: %pygraph-opt %models/fx/cases/item_scalar_mul.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=ITEM-SCALAR-MUL
// ITEM-SCALAR-MUL: 4:28: remark: rescue: aten._local_scalar_dense.default: `item()` only feeds work of the device, so its number stays there
// ITEM-SCALAR-MUL-NOT: remark: cut
// ITEM-SCALAR-MUL-COUNT-1: "pyg.segment"
// ITEM-SCALAR-MUL-NOT: "pyg.segment"

// `item()` that sets a shape cuts, since the shape depends on the data.
// RUN: %pygraph-opt %models/fx/cases/item_slice.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=ITEM-SLICE
// ITEM-SLICE: 14:16: remark: cut: aten.slice.Tensor: a dimension of its result is known only at run time (it depends on the data), and pygraph runs static shapes; export with fixed shapes, or without this call
// ITEM-SLICE: 15:13: remark: cut: aten.tanh.default: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// ITEM-SLICE: 16:14: remark: cut: aten.sum.dim_IntList: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// ITEM-SLICE-COUNT-1: "pyg.segment"
// ITEM-SLICE-NOT: "pyg.segment"

// A copy to the CPU before the last operation moves behind it.
// RUN: %pygraph-opt %models/fx/cases/logits_to_cpu_argmax.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=LOGITS-TO-CPU-ARGMAX
// LOGITS-TO-CPU-ARGMAX: 6:15: remark: rescue: stablehlo.reduce: it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back
// LOGITS-TO-CPU-ARGMAX: 2:3: remark: rescue: result 0: it is wanted on the CPU: it is computed on the device, and its 32 bytes are copied after the last segment
// LOGITS-TO-CPU-ARGMAX-NOT: remark: cut
// LOGITS-TO-CPU-ARGMAX-COUNT-1: "pyg.segment"
// LOGITS-TO-CPU-ARGMAX-NOT: "pyg.segment"

// Arithmetic on a Python number stays on the device too.
// RUN: %pygraph-opt %models/fx/cases/max_item_host.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=MAX-ITEM-HOST
// MAX-ITEM-HOST: 7:28: remark: rescue: aten._local_scalar_dense.default: `item()` only feeds work of the device, so its number stays there
// MAX-ITEM-HOST-NOT: remark: cut
// MAX-ITEM-HOST-COUNT-1: "pyg.segment"
// MAX-ITEM-HOST-NOT: "pyg.segment"

// A result whose shape depends on the data cuts.
// RUN: %pygraph-opt %models/fx/cases/nonzero_masked.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=NONZERO-MASKED
// NONZERO-MASKED: 5:14: remark: cut: aten.index.Tensor: a dimension of its result is known only at run time (it depends on the data), and pygraph runs static shapes; export with fixed shapes, or without this call
// NONZERO-MASKED: 6:23: remark: cut: aten.sym_size.int: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// NONZERO-MASKED: 11:13: remark: cut: aten.relu.default: a dimension of an operand is known only at run time, and pygraph runs static shapes; export with fixed shapes, or without this call
// NONZERO-MASKED-COUNT-1: "pyg.segment"
// NONZERO-MASKED-NOT: "pyg.segment"

// A temperature on the CPU becomes a field of the block.
// RUN: %pygraph-opt %models/fx/cases/top_p_filter.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=TOP-P-FILTER
// TOP-P-FILTER: 2:3: remark: rescue: argument `a_1`: it is on the CPU and read by the device: its 4 bytes become a field of the parameter block
// TOP-P-FILTER-NOT: remark: cut
// TOP-P-FILTER-COUNT-1: "pyg.segment"
// TOP-P-FILTER-NOT: "pyg.segment"

// The state of random numbers is an argument: one segment, right at every replay.
// RUN: %pygraph-opt %models/fx/cases/multinomial_sample.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=RANDOM
// RUN: %pygraph-opt %models/fx/cases/rng_dropout_train.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=RANDOM
// RUN: %pygraph-opt %models/fx/cases/rng_rand_like.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=RANDOM
// RANDOM: remark: rescue: argument `rng_state`: 1 random operation draws from it: it was added as argument {{[0-9]}}, the generator's seed and offset, with result 1 to replace it, so that every step, a replayed graph's too, draws other numbers
// RANDOM-NOT: remark: {{cut|rescue}}
// RANDOM-COUNT-1: "pyg.segment"
// RANDOM-NOT: "pyg.segment"

// Nothing here touches the CPU: one segment.
// RUN: %pygraph-opt %models/fx/cases/int8_dequant_linear.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/kv_index_copy.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/kv_index_put.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/kv_slice_assign_int_arg.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/many_small_ops.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/scatter_gather_embedding.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/topk_sort_cumsum.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/view_alias_output.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: %pygraph-opt %models/fx/cases/while_hop.cuda.core.fx.mlir --keep-boundaries --stop-after=plan --remarks 2>&1 | FileCheck %s --check-prefix=WHOLE
// WHOLE-NOT: remark: {{cut|rescue}}
// WHOLE-COUNT-1: "pyg.segment"
// WHOLE-NOT: "pyg.segment"
