//! Breaks every entry of the operation table, one thing at a time, and expects a rejection at the operation.
//!
//! `instances.mlir` holds a valid instance of every operation; what can be broken follows from the table.

use std::{collections::HashMap, fmt::Write as _};

use pygraph_artifact::{dtype::DType, scalar::ScalarOp};
use pygraph_compiler::{
    diagnostic::Position,
    ir::{
        Attribute, ElementType, Module, OpId, Opcode, TensorType, Type, ValueId,
        build::Builder,
        ops::{
            constraint::{AttrKind, Form},
            def::{Count, OpDef, Presence},
        },
        parse,
        verify::verify,
    },
};

const INSTANCES: &str = include_str!("instances.mlir");

/// Operations that take and give shapes of any sort: what they compute is not ours to know, or not of shapes.
const ANY_SHAPES: &[Opcode] = &[
    Opcode::BuiltinUnrealizedConversionCast,
    Opcode::CheckExpectSerializedEq,
    Opcode::FxCall,
    Opcode::FxGetAttr,
    Opcode::InterpreterPrint,
    Opcode::InterpreterRunParallel,
    Opcode::PygBoundary,
    Opcode::PygEmpty,
    Opcode::SdyManualComputation,
    Opcode::StablehloCustomCall,
    Opcode::StablehloEinsum,
    Opcode::StablehloInfeed,
    Opcode::StablehloOutfeed,
    Opcode::StablehloRecv,
    Opcode::StablehloSend,
    Opcode::StablehloUnaryEinsum,
    Opcode::ShapeBroadcast,
    Opcode::ShapeConcat,
    Opcode::ShapeCstrBroadcastable,
    Opcode::ShapeNumElements,
    Opcode::ShapeSplitAt,
    Opcode::ShapeToExtentTensor,
    Opcode::TensorDim,
];

/// A module with an operation of each name in the comment above it.
struct Instance {
    text: String,
    first_line: u32,
}

impl Instance {
    fn parse(&self) -> Module {
        parse::parse_at(&self.text, "instances.mlir", self.first_line)
            .unwrap_or_else(|errors| panic!("an instance should parse, but: {errors:?}"))
    }
}

fn instances() -> HashMap<Opcode, Instance> {
    let mut found = HashMap::new();
    let mut line = 1;
    for chunk in INSTANCES.split("// -----\n") {
        let first_line = line;
        line += chunk.matches('\n').count() as u32 + 1;
        let Some(names) = chunk.lines().next().and_then(|first| first.strip_prefix("// ")) else { continue };
        for name in names.split(", ") {
            if let Some(opcode) = Opcode::from_name(name) {
                found.insert(opcode, Instance { text: chunk.to_string(), first_line });
            }
        }
    }
    for opcode in Opcode::all() {
        let body = match opcode {
            Opcode::Scalar(op) => Some(scalar_operation(op)),
            Opcode::ScalarConstant => Some("%r = \"scalar.constant\"() {value = 1.0 : f32} : () -> f32".to_string()),
            Opcode::ScalarIndex => Some("%r = \"scalar.index\"() {dimension = 0 : i64} : () -> i64".to_string()),
            Opcode::ScalarYield => Some(String::new()),
            _ => None,
        };
        if let Some(body) = body {
            found.insert(opcode, Instance { text: launch_with(&body), first_line: 1 });
        }
    }
    found
}

/// Operand types that the operation accepts, from its own table.
fn scalar_operation(op: ScalarOp) -> String {
    let candidates = [DType::F32, DType::I32, DType::C64, DType::I1];
    let accepted =
        candidates.iter().flat_map(|from| candidates.iter().map(move |to| (*from, *to))).find_map(|(from, to)| {
            let mut operands = vec![from; op.arity()];
            for first in [from, DType::I1] {
                operands[0] = first;
                if op.accepts(&operands, to) {
                    return Some((operands.clone(), to));
                }
            }
            None
        });
    let (operands, result) = accepted.expect("every scalar operation should accept some types");
    let mut text = String::new();
    for (index, dtype) in operands.iter().enumerate() {
        writeln!(text, "    %c{index} = \"scalar.constant\"() {{value = {}}} : () -> {dtype}", literal(*dtype))
            .expect("a string should take text");
    }
    let names: Vec<String> = (0..operands.len()).map(|index| format!("%c{index}")).collect();
    let types: Vec<&str> = operands.iter().map(|dtype| dtype.name()).collect();
    let attrs = match op.immediate_count() {
        0 => String::new(),
        count => format!(" {{immediates = array<i64: {}>}}", vec!["5"; count].join(", ")),
    };
    let (names, types, name) = (names.join(", "), types.join(", "), op.name());
    writeln!(text, "    %r = \"scalar.{name}\"({names}){attrs} : ({types}) -> {result}")
        .expect("a string should take text");
    text
}

fn literal(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "1.0 : f32",
        DType::I32 => "1 : i32",
        DType::C64 => "dense<(1.0, 0.0)> : tensor<complex<f32>>",
        _ => "true",
    }
}

fn launch_with(body: &str) -> String {
    format!(
        "func.func @main(%x: tensor<2xf32>) {{\n  %0 = \"pyg.nest\"(%x, %x) ({{\n  ^bb0(%e: f32):\n    {body}\n    \
         \"scalar.yield\"(%e) : (f32) -> ()\n  }}) {{extents = array<i64: 2>, input_count = 1 : i64, reduction_dims = 0 : i64, \
         maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]}} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n  \
         return\n}}\n"
    )
}

/// The operation that an instance is of.
fn find(module: &Module, opcode: Opcode) -> OpId {
    let found = module.walk(module.root()).into_iter().find(|op| module.op(*op).opcode == opcode);
    found.unwrap_or_else(|| panic!("the instance of {} should hold one", opcode.name()))
}

/// One thing that was broken.
struct Break {
    what: String,
    module: Module,
}

/// Applies `change` to a copy of the instance.
fn broken(module: &Module, what: impl Into<String>, change: impl FnOnce(&mut Module)) -> Break {
    let mut module = module.clone();
    change(&mut module);
    Break { what: what.into(), module }
}

/// Too many and too few operands, results and regions.
fn break_arity(module: &Module, op: OpId, def: &OpDef, breaks: &mut Vec<Break>) {
    let is_fixed = |counts: &[Count]| counts.iter().all(|count| *count == Count::One);
    let needs_some = |counts: &[Count]| counts.iter().any(|count| matches!(count, Count::One | Count::Some));
    let operands: Vec<Count> = def.operands.iter().map(|operand| operand.count).collect();
    if is_fixed(&operands) {
        breaks.push(broken(module, "one more operand", |module| {
            let extra = value_of(module, op, Type::tensor(&[], ElementType::F32));
            module.op_mut(op).operands.push(extra);
        }));
    }
    if needs_some(&operands) {
        breaks.push(broken(module, "no operands", |module| module.op_mut(op).operands.clear()));
    }
    let results: Vec<Count> = def.results.iter().map(|result| result.count).collect();
    if is_fixed(&results) {
        breaks.push(broken(module, "one more result", |module| {
            let extra = value_of(module, op, Type::tensor(&[], ElementType::F32));
            module.op_mut(op).results.push(extra);
        }));
    }
    if needs_some(&results) {
        breaks.push(broken(module, "no results", |module| module.op_mut(op).results.clear()));
    }
    let regions: Vec<Count> = def.regions.iter().map(|region| region.count).collect();
    if needs_some(&regions) {
        breaks.push(broken(module, "no regions", |module| module.op_mut(op).regions.clear()));
    }
    if is_fixed(&regions) {
        breaks.push(broken(module, "one more region", |module| {
            let extra = module.create_region();
            module.create_block(extra);
            module.op_mut(op).regions.push(extra);
        }));
    }
}

/// A value of that type, made before the operation.
fn value_of(module: &mut Module, op: OpId, ty: Type) -> ValueId {
    let mut builder = Builder::before(module, op);
    let cast = builder.typed::<&str>(Opcode::BuiltinUnrealizedConversionCast, &[], [], vec![ty], &[]);
    builder.result(cast)
}

/// Operands and results of a type that the table refuses.
fn break_types(module: &Module, op: OpId, def: &OpDef, breaks: &mut Vec<Break>) {
    let palette = [
        Type::None,
        Type::tensor(&[2, 3], ElementType::F32),
        Type::tensor(&[2, 3], ElementType::I32),
        Type::tensor(&[2, 3], ElementType::Index),
        Type::Scalar(ElementType::F64),
    ];
    // Groups before the first one of open size stand at their own places; those after it are found from the end.
    for (index, operand) in def.operands.iter().enumerate() {
        let is_open = |range: &[_]| {
            range.iter().any(|other: &pygraph_compiler::ir::ops::def::ValueDef| other.count != Count::One)
        };
        let count = module.op(op).operands.len();
        let at =
            if is_open(&def.operands[..index]) { count.checked_sub(def.operands.len() - index) } else { Some(index) };
        let (Some(at), false) = (at.filter(|at| *at < count), operand.ty.form == Form::Any) else { continue };
        for ty in palette.iter().filter(|ty| !operand.ty.accepts(ty)) {
            breaks.push(broken(module, format!("operand `{}` of another type", operand.name), |module| {
                let value = value_of(module, op, ty.clone());
                module.op_mut(op).operands[at] = value;
            }));
        }
    }
    for (index, result) in def.results.iter().enumerate().filter(|(_, result)| result.ty.form != Form::Any) {
        let Some(value) = module.op(op).results.get(index).copied() else { continue };
        for ty in palette.iter().filter(|ty| !result.ty.accepts(ty)) {
            breaks.push(broken(module, format!("result `{}` of another type", result.name), |module| {
                module.value_mut(value).ty = ty.clone();
            }));
        }
    }
}

/// Attributes that are missing, of another kind, or unknown.
fn break_attributes(module: &Module, op: OpId, def: &OpDef, breaks: &mut Vec<Break>) {
    for attribute in &def.attributes {
        let name = attribute.name;
        if attribute.presence == Presence::Required {
            breaks.push(broken(module, format!("`{name}` missing"), |module| {
                module.op_mut(op).attrs.remove(name);
            }));
        }
        let wrong = [Attribute::string("wrong"), Attribute::Unit, Attribute::i64_array([7])];
        for value in wrong.into_iter().filter(|value| !attribute.kind.accepts(value)) {
            assert_ne!(attribute.kind, AttrKind::Any);
            breaks.push(broken(module, format!("`{name}` of another kind"), |module| {
                module.op_mut(op).attrs.set(name, value);
            }));
        }
    }
    breaks.push(broken(module, "an unknown attribute", |module| {
        module.op_mut(op).attrs.set("bogus", Attribute::Unit);
    }));
}

/// Shapes that do not fit: at least one of these has to be refused.
fn shape_changes(module: &Module, op: OpId) -> Vec<Break> {
    let mut breaks = Vec::new();
    let values = module.op(op).results.iter().chain(&module.op(op).operands);
    for value in values.copied().collect::<Vec<ValueId>>() {
        let Some(tensor) = module.ty(value).as_tensor() else { continue };
        let element = tensor.element.clone();
        let own = tensor.static_shape().unwrap_or_default();
        let shapes = [vec![7; own.len() + 1], Vec::new(), own.iter().map(|extent| extent + 11).collect()];
        for shape in shapes.into_iter().filter(|shape| *shape != own) {
            breaks.push(broken(module, format!("shape {shape:?}"), |module| {
                module.value_mut(value).ty = TensorType::new(&shape, element.clone()).into();
            }));
        }
    }
    breaks
}

/// The message at the operation's place, if the module is refused there.
fn rejection(module: &Module, position: &Position) -> Option<String> {
    let errors = verify(module).err()?;
    errors.0.into_iter().find(|error| error.position == *position).map(|error| error.message)
}

fn for_each_instance(mut visit: impl FnMut(Opcode, &Module, OpId, &Position)) {
    let instances = instances();
    for opcode in Opcode::all() {
        let instance = instances.get(&opcode);
        let instance =
            instance.unwrap_or_else(|| panic!("{} should have an instance in instances.mlir", opcode.name()));
        let module = instance.parse();
        let op = find(&module, opcode);
        let position = module.location(module.op(op).loc).position.clone();
        visit(opcode, &module, op, &position);
    }
}

#[test]
fn every_operation_has_an_instance_that_verifies() {
    for_each_instance(|opcode, module, _, _| {
        if let Err(errors) = verify(module) {
            panic!("the instance of {} should verify, but: {:#?}", opcode.name(), errors.0);
        }
    });
}

#[test]
fn every_break_of_the_table_is_rejected_at_the_operation() {
    let mut accepted = Vec::new();
    let mut count = 0;
    for_each_instance(|opcode, module, op, position| {
        // The module is its own surroundings: it can have neither operands nor results.
        let def = opcode.def();
        let mut breaks = Vec::new();
        break_attributes(module, op, def, &mut breaks);
        if opcode != Opcode::BuiltinModule {
            break_arity(module, op, def, &mut breaks);
            break_types(module, op, def, &mut breaks);
        }
        count += breaks.len();
        for broken in breaks {
            if rejection(&broken.module, position).is_none() {
                accepted.push(format!("{}: {}", opcode.name(), broken.what));
            }
        }
    });
    assert!(accepted.is_empty(), "{} of {count} breaks were accepted:\n{}", accepted.len(), accepted.join("\n"));
    assert!(count > 2000, "the table should have more than {count} things to break");
}

#[test]
fn every_operation_with_a_shape_rule_rejects_shapes_that_do_not_fit() {
    let mut accepted = Vec::new();
    for_each_instance(|opcode, module, op, _| {
        let is_free = ANY_SHAPES.contains(&opcode) || opcode.def().is_terminator();
        let breaks = shape_changes(module, op);
        if is_free || breaks.is_empty() {
            return;
        }
        let position = module.location(module.op(op).loc).position.clone();
        if !breaks.iter().any(|broken| rejection(&broken.module, &position).is_some()) {
            accepted.push(opcode.name());
        }
    });
    assert!(accepted.is_empty(), "shapes that do not fit were accepted by {}", accepted.join(", "));
}
