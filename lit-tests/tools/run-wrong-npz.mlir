// Whatever is wrong with a file of values, the message names the file and the key, and the exit status is 1.
// RUN: %npz %t.missing.npz arg0=f4:2:1
// RUN: sh -c '%pygraph-run %s --inputs %t.missing.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: %npz %t.shape.npz arg0=f4:2:1 arg1=f4:3:1
// RUN: sh -c '%pygraph-run %s --inputs %t.shape.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: %npz %t.type.npz arg0=f4:2:1 arg1=i4:2:1
// RUN: sh -c '%pygraph-run %s --inputs %t.type.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: %npz %t.good.npz arg0=f4:2:1 arg1=f4:2:1
// RUN: sh -c 'head -c 100 %t.good.npz > %t.cut.npz; %pygraph-run %s --inputs %t.cut.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: sh -c '%pygraph-run %s --inputs %t.absent.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: sh -c '%pygraph-run %s --inputs %t.good.npz --expect %t.good.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: %npz %t.more.npz arg0=f4:2:1 arg1=f4:2:1 arg2=f4:2:1
// RUN: %pygraph-run %s --inputs %t.more.npz 2>&1 | FileCheck %s --check-prefix=MORE

// Nothing is half written.
// RUN: sh -c 'rm -f %t.out.npz; %pygraph-run %s --inputs %t.shape.npz --outputs %t.out.npz 2>/dev/null; test ! -e %t.out.npz'

// MISSING: error: no value for arg1 `arg1` (2xf32, step): give --inputs, --weights or --init random:SEED
// SHAPE: error: {{.*}}shape.npz: arg1: shape [3], expected {{.*}}2
// TYPE: error: {{.*}}type.npz: arg1: element type int32, expected float32 for the model's f32
// CUT: error: {{.*}}cut.npz is not an npz file:
// ABSENT: error: cannot read {{.*}}absent.npz: No such file
// NOTHING: error: {{.*}}good.npz has no key like out0 or step1_out0 to compare with
// MORE: note: {{.*}}more.npz has arg2, which the program, with 2 arguments, does not take
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %y : tensor<2xf32>
  return %0 : tensor<2xf32>
}
