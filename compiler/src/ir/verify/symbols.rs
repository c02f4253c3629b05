//! Symbols are unique, those that are named exist, and calls fit.

use std::collections::HashMap;

use super::Report;
use crate::{
    diagnostic::Diagnostic,
    ir::{
        Attribute, Module, OpId, Opcode, Type, ValueId,
        ops::view::{show_list, types_compatible},
        types::FunctionType,
    },
};

/// A reference from one function to another, at an operation.
struct Reference {
    target: OpId,
    at: OpId,
}

/// Builds the table of symbols, then looks up every reference, then looks for cycles.
pub(super) fn check(module: &Module, found: &mut Vec<Diagnostic>) {
    let table = symbol_table(module, found);
    let mut references: HashMap<OpId, Vec<Reference>> = HashMap::new();
    for function in module.functions() {
        for op in module.walk(function) {
            for path in referenced(module, op) {
                let mut report = Report { module, op, found };
                match path.last().and_then(|name| table.get(&**name).copied()) {
                    None => report.error(format!("no symbol is named @{}", path.join("::@"))),
                    Some(target) if module.op(target).opcode != Opcode::FuncFunc => {
                        report.error(format!("@{} is not a function", path.join("::@")));
                    }
                    Some(target) => {
                        check_call(&mut report, target);
                        references.entry(function).or_default().push(Reference { target, at: op });
                    }
                }
            }
        }
    }
    check_cycles(module, &references, found);
}

fn symbol_table<'m>(module: &'m Module, found: &mut Vec<Diagnostic>) -> HashMap<&'m str, OpId> {
    let mut table = HashMap::new();
    for op in module.block_ops(module.body()) {
        let Some(name) = module.op(op).attr("sym_name").and_then(Attribute::as_str) else { continue };
        if let Some(first) = table.insert(name, op) {
            let position = module.location(module.op(first).loc).position.clone();
            found.push(module.error(op, format!("@{name} is defined twice")).with_note(position, "first here"));
        }
    }
    table
}

/// The functions that an operation names: in the attributes that call, not in those that are only kept.
fn referenced(module: &Module, op: OpId) -> Vec<&[std::sync::Arc<str>]> {
    let operation = module.op(op);
    let names: &[&str] = match operation.opcode {
        Opcode::FuncCall => &["callee"],
        Opcode::StablehloComposite => &["decomposition"],
        Opcode::FxCall => &["args", "kwargs"],
        Opcode::InterpreterRunParallel => &["programs", "infeed"],
        _ => &[],
    };
    let mut found = Vec::new();
    let mut pending: Vec<&Attribute> = names.iter().filter_map(|name| operation.attr(name)).collect();
    while let Some(attribute) = pending.pop() {
        match attribute {
            Attribute::Symbol(path) => found.push(&path[..]),
            Attribute::Array(items) => pending.extend(items.iter()),
            Attribute::Dictionary(items) => pending.extend(items.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    found
}

fn check_call(report: &mut Report, function: OpId) {
    let operation = report.module.op(report.op);
    if !matches!(operation.opcode, Opcode::FuncCall | Opcode::StablehloComposite) {
        return;
    }
    let callee = report.module.op(function);
    let Some(Attribute::Type(Type::Function(ty))) = callee.attr("function_type") else { return };
    let name = callee.attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
    let FunctionType { inputs, results } = &**ty;
    let types = |values: &[ValueId]| values.iter().map(|value| report.module.ty(*value).clone()).collect::<Vec<Type>>();
    let fit = |own: &[Type], wanted: &[Type]| {
        own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| types_compatible(own, wanted))
    };
    let (operands, defined) = (types(&operation.operands), types(&operation.results));
    if !fit(&operands, inputs) {
        report.error(format!("@{name} takes ({}), but is called with ({})", show_list(inputs), show_list(&operands)));
    }
    if !fit(&defined, results) {
        let (gives, taken) = (show_list(results), show_list(&defined));
        report.error(format!("@{name} gives ({gives}), but the call has results ({taken})"));
    }
}

/// Depth first over the functions, each once; a reference to one that is still open closes a cycle.
fn check_cycles(module: &Module, references: &HashMap<OpId, Vec<Reference>>, found: &mut Vec<Diagnostic>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        Done,
    }
    let name = |op: OpId| module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
    let of = |function: &OpId| references.get(function).map(Vec::as_slice).unwrap_or_default();
    let mut marks: HashMap<OpId, Mark> = HashMap::new();
    for function in module.functions() {
        if marks.contains_key(&function) {
            continue;
        }
        marks.insert(function, Mark::Open);
        let mut path = vec![(function, 0)];
        while let Some((function, next)) = path.last_mut() {
            let Some(reference) = of(function).get(*next) else {
                marks.insert(*function, Mark::Done);
                path.pop();
                continue;
            };
            *next += 1;
            match marks.get(&reference.target) {
                Some(Mark::Done) => {}
                Some(Mark::Open) => {
                    let through = path.iter().skip_while(|(function, _)| *function != reference.target);
                    let names: Vec<String> = through.map(|(function, _)| format!("@{}", name(*function))).collect();
                    let message = format!("@{} calls itself (through {})", name(reference.target), names.join(", "));
                    found.push(module.error(reference.at, message + ", which can't be inlined"));
                }
                None => {
                    marks.insert(reference.target, Mark::Open);
                    path.push((reference.target, 0));
                }
            }
        }
    }
}
