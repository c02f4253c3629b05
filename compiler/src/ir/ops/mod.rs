//! The operation table: one entry an operation, read by the parser, the printer, the verifier and docs/dialect.md.
//!
//! [`Opcode`] lists the names. What is known of each (operands, attributes, regions, effects, syntax, shape rule) is its
//! [`OpDef`], given by the file of its dialect beside this one: an exhaustive match, so that an operation without a
//! definition does not compile.

mod arith;
mod builtin;
mod cf;
mod check;
mod chlo;
pub mod constraint;
pub mod def;
pub mod effects;
mod func;
mod fx;
mod interpreter;
mod pyg;
pub mod reference;
mod rules;
mod scalar;
mod sdy;
mod shape;
mod stablehlo;
mod tensor;
pub mod view;

use std::{collections::HashMap, sync::LazyLock};

pub use def::{Effect, OpDef, Traits};
pub use effects::is_pure_op;
use pygraph_artifact::scalar::ScalarOp;

macro_rules! opcodes {
    ($($dialect:ident: $names:ident { $($variant:ident = $name:literal,)* })*) => {
        /// Which operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the operation table says what each is")]
        pub enum Opcode {
            $($($variant,)*)*
            /// An operation of the scalar language, in the body of a launch.
            Scalar(ScalarOp),
            /// `scalar.constant`
            ScalarConstant,
            /// `scalar.index`
            ScalarIndex,
            /// `scalar.yield`
            ScalarYield,
        }

        /// The operations of each dialect, for its exhaustive match.
        mod names {
            $(#[derive(Debug, Clone, Copy)]
            #[allow(clippy::enum_variant_names, reason = "the variants are the opcode's own")]
            pub(super) enum $names { $($variant,)* })*
        }

        static NAMED: &[(Opcode, &str)] = &[$($((Opcode::$variant, $name),)*)*
            (Opcode::ScalarConstant, "scalar.constant"),
            (Opcode::ScalarIndex, "scalar.index"),
            (Opcode::ScalarYield, "scalar.yield"),
        ];

        impl Opcode {
            /// The full name (`stablehlo.add`).
            pub fn name(self) -> &'static str {
                match self {
                    $($(Opcode::$variant => $name,)*)*
                    Opcode::Scalar(op) => SCALAR_NAMES[&op],
                    Opcode::ScalarConstant => "scalar.constant",
                    Opcode::ScalarIndex => "scalar.index",
                    Opcode::ScalarYield => "scalar.yield",
                }
            }

            /// Position in the table: dense, the named operations first.
            fn index(self) -> usize {
                mod position {
                    pub(super) enum Named { $($($variant,)*)* ScalarConstant, ScalarIndex, ScalarYield }
                }
                match self {
                    $($(Opcode::$variant => position::Named::$variant as usize,)*)*
                    Opcode::ScalarConstant => position::Named::ScalarConstant as usize,
                    Opcode::ScalarIndex => position::Named::ScalarIndex as usize,
                    Opcode::ScalarYield => position::Named::ScalarYield as usize,
                    Opcode::Scalar(op) => position::Named::ScalarYield as usize + 1 + op as usize,
                }
            }

            fn facts(self) -> def::Facts {
                match self {
                    $($(Opcode::$variant => $dialect::facts(names::$names::$variant),)*)*
                    Opcode::Scalar(op) => scalar::operation(op),
                    Opcode::ScalarConstant => scalar::constant(),
                    Opcode::ScalarIndex => scalar::index(),
                    Opcode::ScalarYield => scalar::terminator(),
                }
            }
        }
    };
}

opcodes! {
    builtin: Builtin {
        BuiltinModule = "builtin.module",
        BuiltinUnrealizedConversionCast = "builtin.unrealized_conversion_cast",
    }
    func: Func {
        FuncFunc = "func.func",
        FuncCall = "func.call",
        FuncReturn = "func.return",
    }
    stablehlo: Stablehlo {
        StablehloAbs = "stablehlo.abs",
        StablehloAdd = "stablehlo.add",
        StablehloAfterAll = "stablehlo.after_all",
        StablehloAllGather = "stablehlo.all_gather",
        StablehloAllReduce = "stablehlo.all_reduce",
        StablehloAllToAll = "stablehlo.all_to_all",
        StablehloAnd = "stablehlo.and",
        StablehloAtan2 = "stablehlo.atan2",
        StablehloBatchNormGrad = "stablehlo.batch_norm_grad",
        StablehloBatchNormInference = "stablehlo.batch_norm_inference",
        StablehloBatchNormTraining = "stablehlo.batch_norm_training",
        StablehloBitcastConvert = "stablehlo.bitcast_convert",
        StablehloBroadcast = "stablehlo.broadcast",
        StablehloBroadcastInDim = "stablehlo.broadcast_in_dim",
        StablehloCase = "stablehlo.case",
        StablehloCbrt = "stablehlo.cbrt",
        StablehloCeil = "stablehlo.ceil",
        StablehloCholesky = "stablehlo.cholesky",
        StablehloClamp = "stablehlo.clamp",
        StablehloCollectiveBroadcast = "stablehlo.collective_broadcast",
        StablehloCollectivePermute = "stablehlo.collective_permute",
        StablehloCollectiveReduce = "stablehlo.collective_reduce",
        StablehloCompare = "stablehlo.compare",
        StablehloComplex = "stablehlo.complex",
        StablehloComposite = "stablehlo.composite",
        StablehloConcatenate = "stablehlo.concatenate",
        StablehloConstant = "stablehlo.constant",
        StablehloConvert = "stablehlo.convert",
        StablehloConvolution = "stablehlo.convolution",
        StablehloCosine = "stablehlo.cosine",
        StablehloCountLeadingZeros = "stablehlo.count_leading_zeros",
        StablehloCreateToken = "stablehlo.create_token",
        StablehloCustomCall = "stablehlo.custom_call",
        StablehloDivide = "stablehlo.divide",
        StablehloDot = "stablehlo.dot",
        StablehloDotGeneral = "stablehlo.dot_general",
        StablehloDynamicBroadcastInDim = "stablehlo.dynamic_broadcast_in_dim",
        StablehloDynamicConv = "stablehlo.dynamic_conv",
        StablehloDynamicGather = "stablehlo.dynamic_gather",
        StablehloDynamicIota = "stablehlo.dynamic_iota",
        StablehloDynamicPad = "stablehlo.dynamic_pad",
        StablehloDynamicReshape = "stablehlo.dynamic_reshape",
        StablehloDynamicSlice = "stablehlo.dynamic_slice",
        StablehloDynamicUpdateSlice = "stablehlo.dynamic_update_slice",
        StablehloEinsum = "stablehlo.einsum",
        StablehloExponential = "stablehlo.exponential",
        StablehloExponentialMinusOne = "stablehlo.exponential_minus_one",
        StablehloFft = "stablehlo.fft",
        StablehloFloor = "stablehlo.floor",
        StablehloGather = "stablehlo.gather",
        StablehloGetDimensionSize = "stablehlo.get_dimension_size",
        StablehloGetTupleElement = "stablehlo.get_tuple_element",
        StablehloIf = "stablehlo.if",
        StablehloImag = "stablehlo.imag",
        StablehloInfeed = "stablehlo.infeed",
        StablehloIota = "stablehlo.iota",
        StablehloIsFinite = "stablehlo.is_finite",
        StablehloLog = "stablehlo.log",
        StablehloLogPlusOne = "stablehlo.log_plus_one",
        StablehloLogistic = "stablehlo.logistic",
        StablehloMap = "stablehlo.map",
        StablehloMaximum = "stablehlo.maximum",
        StablehloMinimum = "stablehlo.minimum",
        StablehloMultiply = "stablehlo.multiply",
        StablehloNegate = "stablehlo.negate",
        StablehloNot = "stablehlo.not",
        StablehloOptimizationBarrier = "stablehlo.optimization_barrier",
        StablehloOr = "stablehlo.or",
        StablehloOutfeed = "stablehlo.outfeed",
        StablehloPad = "stablehlo.pad",
        StablehloPartitionId = "stablehlo.partition_id",
        StablehloPopcnt = "stablehlo.popcnt",
        StablehloPower = "stablehlo.power",
        StablehloReal = "stablehlo.real",
        StablehloRealDynamicSlice = "stablehlo.real_dynamic_slice",
        StablehloRecv = "stablehlo.recv",
        StablehloReduce = "stablehlo.reduce",
        StablehloReducePrecision = "stablehlo.reduce_precision",
        StablehloReduceScatter = "stablehlo.reduce_scatter",
        StablehloReduceWindow = "stablehlo.reduce_window",
        StablehloRemainder = "stablehlo.remainder",
        StablehloReplicaId = "stablehlo.replica_id",
        StablehloReshape = "stablehlo.reshape",
        StablehloReturn = "stablehlo.return",
        StablehloReverse = "stablehlo.reverse",
        StablehloRng = "stablehlo.rng",
        StablehloRngBitGenerator = "stablehlo.rng_bit_generator",
        StablehloRoundNearestAfz = "stablehlo.round_nearest_afz",
        StablehloRoundNearestEven = "stablehlo.round_nearest_even",
        StablehloRsqrt = "stablehlo.rsqrt",
        StablehloScatter = "stablehlo.scatter",
        StablehloSelect = "stablehlo.select",
        StablehloSelectAndScatter = "stablehlo.select_and_scatter",
        StablehloSend = "stablehlo.send",
        StablehloSetDimensionSize = "stablehlo.set_dimension_size",
        StablehloShiftLeft = "stablehlo.shift_left",
        StablehloShiftRightArithmetic = "stablehlo.shift_right_arithmetic",
        StablehloShiftRightLogical = "stablehlo.shift_right_logical",
        StablehloSign = "stablehlo.sign",
        StablehloSine = "stablehlo.sine",
        StablehloSlice = "stablehlo.slice",
        StablehloSort = "stablehlo.sort",
        StablehloSqrt = "stablehlo.sqrt",
        StablehloSubtract = "stablehlo.subtract",
        StablehloTan = "stablehlo.tan",
        StablehloTanh = "stablehlo.tanh",
        StablehloTorchIndexSelect = "stablehlo.torch_index_select",
        StablehloTranspose = "stablehlo.transpose",
        StablehloTriangularSolve = "stablehlo.triangular_solve",
        StablehloTuple = "stablehlo.tuple",
        StablehloUnaryEinsum = "stablehlo.unary_einsum",
        StablehloUniformDequantize = "stablehlo.uniform_dequantize",
        StablehloUniformQuantize = "stablehlo.uniform_quantize",
        StablehloWhile = "stablehlo.while",
        StablehloXor = "stablehlo.xor",
    }
    chlo: Chlo {
        ChloAcos = "chlo.acos",
        ChloAcosh = "chlo.acosh",
        ChloAsin = "chlo.asin",
        ChloAsinAcosKernel = "chlo.asin_acos_kernel",
        ChloAsinh = "chlo.asinh",
        ChloAtan = "chlo.atan",
        ChloAtanh = "chlo.atanh",
        ChloBesselI1e = "chlo.bessel_i1e",
        ChloBroadcastAdd = "chlo.broadcast_add",
        ChloBroadcastAnd = "chlo.broadcast_and",
        ChloBroadcastAtan2 = "chlo.broadcast_atan2",
        ChloBroadcastCompare = "chlo.broadcast_compare",
        ChloBroadcastComplex = "chlo.broadcast_complex",
        ChloBroadcastDivide = "chlo.broadcast_divide",
        ChloBroadcastMaximum = "chlo.broadcast_maximum",
        ChloBroadcastMinimum = "chlo.broadcast_minimum",
        ChloBroadcastMultiply = "chlo.broadcast_multiply",
        ChloBroadcastNextAfter = "chlo.broadcast_next_after",
        ChloBroadcastOr = "chlo.broadcast_or",
        ChloBroadcastPolygamma = "chlo.broadcast_polygamma",
        ChloBroadcastPower = "chlo.broadcast_power",
        ChloBroadcastRemainder = "chlo.broadcast_remainder",
        ChloBroadcastSelect = "chlo.broadcast_select",
        ChloBroadcastShiftLeft = "chlo.broadcast_shift_left",
        ChloBroadcastShiftRightArithmetic = "chlo.broadcast_shift_right_arithmetic",
        ChloBroadcastShiftRightLogical = "chlo.broadcast_shift_right_logical",
        ChloBroadcastSubtract = "chlo.broadcast_subtract",
        ChloBroadcastXor = "chlo.broadcast_xor",
        ChloBroadcastZeta = "chlo.broadcast_zeta",
        ChloConj = "chlo.conj",
        ChloConstant = "chlo.constant",
        ChloConstantLike = "chlo.constant_like",
        ChloCosh = "chlo.cosh",
        ChloDigamma = "chlo.digamma",
        ChloErf = "chlo.erf",
        ChloErfInv = "chlo.erf_inv",
        ChloErfc = "chlo.erfc",
        ChloIsInf = "chlo.is_inf",
        ChloIsNegInf = "chlo.is_neg_inf",
        ChloIsPosInf = "chlo.is_pos_inf",
        ChloLgamma = "chlo.lgamma",
        ChloMinimumBroadcastShapes = "chlo.minimum_broadcast_shapes",
        ChloMulhi = "chlo.mulhi",
        ChloNextAfter = "chlo.next_after",
        ChloPolygamma = "chlo.polygamma",
        ChloRaggedDot = "chlo.ragged_dot",
        ChloScan = "chlo.scan",
        ChloSinh = "chlo.sinh",
        ChloSquare = "chlo.square",
        ChloTan = "chlo.tan",
        ChloTopK = "chlo.top_k",
        ChloZeta = "chlo.zeta",
    }
    check: Check {
        CheckExpectAlmostEq = "check.expect_almost_eq",
        CheckExpectAlmostEqConst = "check.expect_almost_eq_const",
        CheckExpectClose = "check.expect_close",
        CheckExpectEq = "check.expect_eq",
        CheckExpectEqConst = "check.expect_eq_const",
        CheckExpectSerializedEq = "check.expect_serialized_eq",
    }
    arith: Arith {
        ArithAddf = "arith.addf",
        ArithAddi = "arith.addi",
        ArithAndi = "arith.andi",
        ArithCmpf = "arith.cmpf",
        ArithCmpi = "arith.cmpi",
        ArithConstant = "arith.constant",
        ArithDivf = "arith.divf",
        ArithDivsi = "arith.divsi",
        ArithDivui = "arith.divui",
        ArithExtf = "arith.extf",
        ArithExtsi = "arith.extsi",
        ArithFptosi = "arith.fptosi",
        ArithIndexCast = "arith.index_cast",
        ArithMaxsi = "arith.maxsi",
        ArithMinsi = "arith.minsi",
        ArithMulf = "arith.mulf",
        ArithMuli = "arith.muli",
        ArithNegf = "arith.negf",
        ArithOri = "arith.ori",
        ArithRemsi = "arith.remsi",
        ArithSelect = "arith.select",
        ArithSitofp = "arith.sitofp",
        ArithSubf = "arith.subf",
        ArithSubi = "arith.subi",
        ArithTrunci = "arith.trunci",
        ArithTruncf = "arith.truncf",
        ArithUitofp = "arith.uitofp",
        ArithXori = "arith.xori",
    }
    cf: Cf {
        CfAssert = "cf.assert",
    }
    interpreter: Interpreter {
        InterpreterPrint = "interpreter.print",
        InterpreterProbe = "interpreter.probe",
        InterpreterRunParallel = "interpreter.run_parallel",
    }
    tensor: Tensor {
        TensorCast = "tensor.cast",
        TensorCollapseShape = "tensor.collapse_shape",
        TensorDim = "tensor.dim",
        TensorExpandShape = "tensor.expand_shape",
        TensorExtract = "tensor.extract",
        TensorFromElements = "tensor.from_elements",
    }
    shape: Shape {
        ShapeAssuming = "shape.assuming",
        ShapeAssumingYield = "shape.assuming_yield",
        ShapeBroadcast = "shape.broadcast",
        ShapeConcat = "shape.concat",
        ShapeCstrBroadcastable = "shape.cstr_broadcastable",
        ShapeConstWitness = "shape.const_witness",
        ShapeNumElements = "shape.num_elements",
        ShapeShapeOf = "shape.shape_of",
        ShapeSplitAt = "shape.split_at",
        ShapeToExtentTensor = "shape.to_extent_tensor",
    }
    sdy: Sdy {
        SdyMesh = "sdy.mesh",
        SdyReturn = "sdy.return",
        SdyShardingConstraint = "sdy.sharding_constraint",
        SdyManualComputation = "sdy.manual_computation",
    }
    fx: Fx {
        FxCall = "fx.call",
        FxGetAttr = "fx.get_attr",
    }
    pyg: Pyg {
        PygBoundary = "pyg.boundary",
        PygAttention = "pyg.attention",
        PygKvArena = "pyg.kv.arena",
        PygKvEnsure = "pyg.kv.ensure",
        PygKvRetire = "pyg.kv.retire",
        PygParamBlock = "pyg.param_block",
        PygBlockWrite = "pyg.block.write",
        PygBlockField = "pyg.block.field",
        PygEmpty = "pyg.empty",
        PygFused = "pyg.fused",
        PygNest = "pyg.nest",
        PygKernel = "pyg.kernel",
        PygView = "pyg.view",
        PygConstant = "pyg.constant",
        PygWhile = "pyg.while",
        PygSwitch = "pyg.switch",
        PygSegment = "pyg.segment",
        PygYield = "pyg.yield",
        PygReturn = "pyg.return",
    }
}

/// `scalar.add`, … made once from the scalar language's own table.
static SCALAR_NAMES: LazyLock<HashMap<ScalarOp, &'static str>> = LazyLock::new(|| {
    ScalarOp::ALL.iter().map(|op| (*op, &*Box::leak(format!("scalar.{}", op.name()).into_boxed_str()))).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, Opcode>> =
    LazyLock::new(|| Opcode::all().map(|op| (op.name(), op)).collect());

static TABLE: LazyLock<Vec<OpDef>> = LazyLock::new(|| Opcode::all().map(|op| op.facts().define(op)).collect());

impl Opcode {
    /// The entry of the table.
    pub fn def(self) -> &'static OpDef {
        &TABLE[self.index()]
    }

    /// True for operations that a device does in one go; see [`crate::lower::launches`].
    pub fn is_launch(self) -> bool {
        matches!(self, Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused)
    }

    /// Every operation.
    pub fn all() -> impl Iterator<Item = Opcode> {
        NAMED.iter().map(|(op, _)| *op).chain(ScalarOp::ALL.iter().map(|op| Opcode::Scalar(*op)))
    }

    /// The operation of that full name.
    pub fn from_name(name: &str) -> Option<Opcode> {
        BY_NAME.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_stands_at_its_own_index() {
        for op in Opcode::all() {
            assert_eq!(op.def().opcode, op);
            assert_eq!(Opcode::from_name(op.name()), Some(op));
        }
    }
}
