//! The short form of each operation: how it is read and how it is printed, side by side.
//!
//! Most short forms are rows of `plain`'s table: operands, a few named attributes, types. The others are pairs of
//! functions in the file of their kind. An operation without a short form, or one whose attributes or types do not fit
//! its short form, is printed in generic form; both can stand in one file.
//!
//! Also here, because reading and printing share them: literals of strings ([`strings`]), floats ([`floats`]) and the
//! elements of constants ([`elements`]); and how generic text names unknown extents ([`symbols`]).

mod builtin;
mod control;
mod custom_call;
pub mod elements;
pub mod floats;
pub(crate) mod func;
mod indexing;
mod plain;
pub(crate) mod products;
mod reduce;
mod sharding;
pub mod strings;
pub mod symbols;
mod tensor;

use super::{
    Module, OpId, Opcode,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
};

/// Reads what stands after the operation's name.
pub(crate) type ParseFn = for<'s> fn(&mut Parser<'s>, Opcode, &mut OpParts) -> ParseResult<()>;

/// Prints what stands after the results, the operation's name included; none (whatever was printed) where the operation
/// does not fit its short form.
pub(crate) type PrintFn = fn(&mut Printer<'_>, OpId) -> Option<()>;

/// The short form of an operation.
pub(crate) struct Syntax {
    pub parse: ParseFn,
    pub print: PrintFn,
}

/// The short form of an operation, where it has one.
pub(crate) fn syntax_of(opcode: Opcode) -> Option<Syntax> {
    use Opcode as O;
    let pair = |parse: ParseFn, print: PrintFn| Some(Syntax { parse, print });
    match opcode {
        O::BuiltinModule => pair(builtin::parse_module, builtin::print_module),
        O::FuncFunc => pair(func::parse_func, func::print_func),
        O::FuncCall => pair(func::parse_call, func::print_call),
        O::StablehloConstant | O::ArithConstant | O::ChloConstant | O::PygConstant => {
            pair(builtin::parse_constant, builtin::print_constant)
        }
        O::CfAssert => pair(builtin::parse_assert, builtin::print_assert),
        O::CheckExpectEqConst | O::CheckExpectAlmostEqConst => {
            pair(builtin::parse_expect_const, builtin::print_expect_const)
        }
        O::StablehloCompare => pair(indexing::parse_compare, indexing::print_compare),
        O::StablehloSlice => pair(indexing::parse_slice, indexing::print_slice),
        O::StablehloGetTupleElement => pair(indexing::parse_get_tuple_element, indexing::print_get_tuple_element),
        O::StablehloReducePrecision => pair(indexing::parse_reduce_precision, indexing::print_reduce_precision),
        O::ChloTopK => pair(indexing::parse_top_k, indexing::print_top_k),
        O::TensorExtract => pair(tensor::parse_extract, tensor::print_extract),
        O::TensorCollapseShape => pair(tensor::parse_collapse_shape, tensor::print_collapse_shape),
        O::TensorExpandShape => pair(tensor::parse_expand_shape, tensor::print_expand_shape),
        O::ArithCmpi => pair(indexing::parse_cmpi, indexing::print_cmpi),
        O::StablehloDot | O::StablehloDotGeneral => pair(products::parse_dot, products::print_dot),
        O::StablehloConvolution | O::StablehloDynamicConv => {
            pair(products::parse_convolution, products::print_convolution)
        }
        O::StablehloReduce => pair(reduce::parse_reduce, reduce::print_reduce),
        O::StablehloWhile => pair(control::parse_while, control::print_while),
        O::ShapeAssuming => pair(control::parse_assuming, control::print_assuming),
        O::ShapeConstWitness => pair(control::parse_const_witness, control::print_const_witness),
        O::ChloScan => pair(control::parse_scan, control::print_scan),
        O::StablehloCustomCall => pair(custom_call::parse_custom_call, custom_call::print_custom_call),
        O::StablehloComposite => pair(custom_call::parse_composite, custom_call::print_composite),
        O::SdyMesh => pair(sharding::parse_mesh, sharding::print_mesh),
        O::SdyManualComputation => pair(sharding::parse_manual_computation, sharding::print_manual_computation),
        O::SdyShardingConstraint => pair(sharding::parse_sharding_constraint, sharding::print_sharding_constraint),
        _ if plain::row_of(opcode).is_some() => pair(plain::parse_plain, plain::print_plain),
        _ => None,
    }
}

/// The types of an operation's operands.
fn operand_types(module: &Module, op: OpId) -> Vec<super::Type> {
    module.op(op).operands.iter().map(|operand| module.ty(*operand).clone()).collect()
}

/// The types of an operation's results.
fn result_types(module: &Module, op: OpId) -> Vec<super::Type> {
    module.op(op).results.iter().map(|result| module.ty(*result).clone()).collect()
}
