//! `--bind ARGUMENT=CLASS`: classes of arguments from the command line. `FIRST..LAST` is all from one to another, both included:
//! `0..146=once` for the weights that JAX hands over as arguments like any other. `state:RESULT` says which result replaces the argument
//! in the next step, where the file does not.

use std::ops::RangeInclusive;

use pygraph_artifact::plan::Bind;

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    ir::{self, AttrMap, Attribute, Module, OpId},
};

/// One class from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindOverride {
    /// Its name, or its position from 0; or two of these with `..` between, for all from one to the other.
    pub argument: String,
    /// Its class.
    pub bind: Bind,
    /// The result that replaces it in the next step, by position from 0.
    pub updated_by: Option<u32>,
}

/// Reads `ARGUMENT=CLASS`; otherwise says what is wrong.
pub fn parse(text: &str) -> Result<BindOverride, String> {
    let (argument, class) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` is not ARGUMENT=CLASS"))?;
    let (class, result) = class.split_once(':').map_or((class, None), |(class, result)| (class, Some(result)));
    let bind = Bind::from_name(class).ok_or_else(|| {
        let classes: Vec<&str> = Bind::ALL.iter().map(|bind| bind.name()).collect();
        format!("no binding class is named `{class}`; there are {}", classes.join(", "))
    })?;
    let updated_by = match result.map(str::parse) {
        None => None,
        Some(Ok(_)) if argument.contains("..") => {
            return Err(format!("`{text}` gives one result to several arguments"));
        }
        Some(Ok(result)) if bind == Bind::State => Some(result),
        Some(Ok(_)) => return Err(format!("`{text}` names a result, which only replaces what is bound as `state`")),
        Some(Err(_)) => return Err(format!("`{text}` should name a result by its position, like `state:0`")),
    };
    Ok(BindOverride { argument: argument.to_owned(), bind, updated_by })
}

/// Sets `pyg.bind` on arguments of the entry function: `main`, or the first.
pub fn apply(module: &mut Module, binds: &[BindOverride]) -> Result<(), Diagnostics> {
    if binds.is_empty() {
        return Ok(());
    }
    let Some(function) = module.symbol("main").or_else(|| module.functions().next()) else {
        return Err(module.error(module.root(), "there is no function whose arguments --bind could mean").into());
    };
    let mut attrs = argument_attrs(module, function);
    let mut errors = Vec::new();
    for bind in binds {
        match find_all(module, function, &attrs, &bind.argument) {
            Ok(all) => {
                for at in all {
                    attrs[at].set("pyg.bind", Attribute::string(bind.bind.name()));
                    if let Some(result) = bind.updated_by {
                        attrs[at].set("pyg.updated_by", Attribute::i64(i64::from(result)));
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    let attrs = attrs.into_iter().map(|map| Attribute::Dictionary(map.into())).collect();
    module.op_mut(function).attrs.set("arg_attrs", Attribute::Array(attrs));
    if !errors.is_empty() {
        return Err(Diagnostics(errors));
    }
    // Whether a result exists, and has the argument's type, is the verifier's to say.
    ir::verify::verify(module)
}

/// The attributes of each argument of a function.
fn argument_attrs(module: &Module, function: OpId) -> Vec<AttrMap> {
    let count = module.region_block(function, 0).map_or(0, |block| module.block(block).arguments.len());
    let given = match module.op(function).attr("arg_attrs") {
        Some(Attribute::Array(items)) => &items[..],
        _ => &[],
    };
    (0..count)
        .map(|at| match given.get(at) {
            Some(Attribute::Dictionary(map)) => (**map).clone(),
            _ => AttrMap::default(),
        })
        .collect()
}

fn find_all(
    module: &Module,
    function: OpId,
    attrs: &[AttrMap],
    argument: &str,
) -> Result<RangeInclusive<usize>, Diagnostic> {
    // A name may have dots in it.
    if let Ok(at) = find(module, function, attrs, argument) {
        return Ok(at..=at);
    }
    let Some((first, last)) = argument.split_once("..") else {
        return find(module, function, attrs, argument).map(|at| at..=at);
    };
    let (first_at, last_at) = (find(module, function, attrs, first)?, find(module, function, attrs, last)?);
    if first_at > last_at {
        return Err(module.error(function, format!("argument `{first}` comes after `{last}`: `{argument}` is none")));
    }
    Ok(first_at..=last_at)
}

fn find(module: &Module, function: OpId, attrs: &[AttrMap], argument: &str) -> Result<usize, Diagnostic> {
    let named = |map: &AttrMap| {
        let mut names = ["pyg.name", "fx.name", "fx.target"].iter().filter_map(|key| map.get(key)?.as_str());
        names.any(|name| name == argument)
    };
    let by_position = || argument.strip_prefix("arg").unwrap_or(argument).parse().ok().filter(|at| *at < attrs.len());
    attrs.iter().position(named).or_else(by_position).ok_or_else(|| {
        let count = attrs.len();
        module.error(function, format!("no argument is named `{argument}`; write its name or a position below {count}"))
    })
}
