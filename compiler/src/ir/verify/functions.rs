//! Functions: the type is that of the arguments and of what is returned, and bindings make sense.

use pygraph_artifact::{
    dtype::DType,
    plan::{Bind, Initial},
};

use super::Report;
use crate::{
    diagnostic::Diagnostic,
    ir::{
        AttrMap, Attribute, Module, OpId, Type, ValueId,
        ops::view::{show, show_list, types_compatible},
        types::FunctionType,
    },
    lower::place::{PLACES, Place, places_of},
    passes::plan_memory::ARENA_BYTES,
};

/// Where an argument says which result replaces it.
const REPLACED_BY: &[&str] = &["pyg.updated_by", "tf.aliasing_output"];

pub(super) fn check(module: &Module, function: OpId, found: &mut Vec<Diagnostic>) {
    // Without a function type the table has spoken already.
    let Some(Attribute::Type(Type::Function(ty))) = module.op(function).attr("function_type") else { return };
    let mut report = Report { module, op: function, found };
    check_body(&mut report, ty);
    let counts = [("arg_attrs", ty.inputs.len()), ("res_attrs", ty.results.len())];
    for (name, count) in counts {
        if let Some(Attribute::Array(items)) = module.op(function).attr(name)
            && items.len() != count
        {
            report.error(format!("`{name}` has {} dictionaries for {count} values", items.len()));
        }
    }
    if let Some(Attribute::Array(items)) = module.op(function).attr("arg_attrs") {
        check_bindings(&mut report, ty, items);
    }
    if let Some(bytes) = module.op(function).attr(ARENA_BYTES) {
        if bytes.as_i64().is_none_or(|bytes| bytes < 0) {
            report.error(format!("`{ARENA_BYTES}` should be a number of bytes"));
        }
        check_places(module, function, ty, found);
    }
}

/// Every result has a place where its memory is planned, and arguments and results that are places exist.
fn check_places(module: &Module, function: OpId, ty: &FunctionType, found: &mut Vec<Diagnostic>) {
    for op in module.walk(function) {
        let Some(places) = places_of(module, op) else { continue };
        let mut report = Report { module, op, found };
        if places.len() != module.op(op).results.len() {
            report.error(format!("`{PLACES}` has {} places for {} results", places.len(), module.op(op).results.len()));
        }
        for place in places {
            let (what, number, count) = match place {
                Place::Arena(_) => continue,
                Place::Argument(number) => ("argument", number, ty.inputs.len()),
                Place::Result(number) => ("result", number, ty.results.len()),
            };
            if number as usize >= count {
                report.error(format!("`{PLACES}` names {what} {number} of a function that has {count}"));
            }
        }
    }
}

fn check_body(report: &mut Report, ty: &FunctionType) {
    let (module, function) = (report.module, report.op);
    let Some(block) = module.region_block(function, 0) else { return };
    let types = |values: &[ValueId]| values.iter().map(|value| module.ty(*value).clone()).collect::<Vec<Type>>();
    let fit = |own: &[Type], wanted: &[Type]| {
        own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| types_compatible(own, wanted))
    };
    let arguments = types(&module.block(block).arguments);
    if !fit(&arguments, &ty.inputs) {
        let (wanted, own) = (show_list(&ty.inputs), show_list(&arguments));
        report.error(format!("the function takes ({wanted}), but its block has arguments ({own})"));
    }
    let Some(end) = module.block(block).last().filter(|end| module.op(*end).opcode.def().is_terminator()) else {
        return;
    };
    let returned = types(&module.op(end).operands);
    if !fit(&returned, &ty.results) {
        let (wanted, own) = (show_list(&ty.results), show_list(&returned));
        report.found.push(module.error(end, format!("the function gives ({wanted}), but returns ({own})")));
    }
}

fn check_bindings(report: &mut Report, ty: &FunctionType, arguments: &[Attribute]) {
    let mut replaced: Vec<Option<usize>> = vec![None; ty.results.len()];
    for (index, (attribute, argument)) in arguments.iter().zip(&ty.inputs).enumerate() {
        let Attribute::Dictionary(attrs) = attribute else { continue };
        check_class(report, index, attrs);
        check_initial(report, index, attrs, argument);
        for name in REPLACED_BY {
            let Some(value) = attrs.get(name) else { continue };
            let result = value.as_i64().and_then(|value| usize::try_from(value).ok());
            let Some((result, wanted)) = result.and_then(|result| Some((result, ty.results.get(result)?))) else {
                let shown = value.as_i64().map_or("no integer".to_string(), |value| value.to_string());
                let count = ty.results.len();
                report.error(format!("`{name}` of argument {index} is {shown}, but the function has {count} results"));
                continue;
            };
            if !types_compatible(argument, wanted) {
                let (own, wanted) = (show(argument), show(wanted));
                report.error(format!(
                    "`{name}` of argument {index} names result {result} of type {wanted}, but the argument is {own}"
                ));
            }
            match replaced[result].replace(index) {
                Some(other) if other != index => {
                    report.error(format!("result {result} replaces both argument {other} and argument {index}"));
                }
                _ => {}
            }
        }
    }
}

/// What an argument begins as fits its type.
fn check_initial(report: &mut Report, index: usize, attrs: &AttrMap, argument: &Type) {
    let Some(initial) = attrs.get("pyg.initial") else { return };
    match initial.as_str().and_then(Initial::from_name) {
        None => {
            let known: Vec<&str> = Initial::ALL.iter().map(|initial| initial.name()).collect();
            let own = initial.as_str().unwrap_or("no string");
            report.error(format!("argument {index} begins as `{own}`, which is none of {}", known.join(", ")));
        }
        Some(Initial::RandomState) => {
            let is_words = argument.as_tensor().is_some_and(|words| {
                words.element.dtype() == Some(DType::U64) && words.static_shape() == Some(vec![2])
            });
            let is_state = attrs.get("pyg.bind").and_then(Attribute::as_str) == Some(Bind::State.name());
            if !is_words || !is_state {
                let own = show(argument);
                report.error(format!(
                    "argument {index} begins as the state of a random generator, so it should be a tensor<2xui64> that is bound as \
                     `state`, not {own}"
                ));
            }
        }
    }
}

fn check_class(report: &mut Report, index: usize, attrs: &AttrMap) {
    if let Some(bind) = attrs.get("pyg.bind")
        && bind.as_str().and_then(Bind::from_name).is_none()
    {
        let known: Vec<&str> = Bind::ALL.iter().map(|bind| bind.name()).collect();
        let own = bind.as_str().unwrap_or("no string");
        report.error(format!("argument {index} is bound as `{own}`, which is none of {}", known.join(", ")));
    }
    if let Some(name) = attrs.get("pyg.name")
        && name.as_str().is_none()
    {
        report.error(format!("`pyg.name` of argument {index} should be a string"));
    }
}
