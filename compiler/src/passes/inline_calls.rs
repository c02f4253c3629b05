//! Replaces calls by the bodies of the functions that they call, and drops private functions that nobody refers to.
//!
//! Before: `%0 = call @relu(%x) {mhlo.frontend_attributes = {_xla_compute_type = "host"}}`.
//! After: the operations of `@relu`, each with that attribute (its own entries win) and the location
//! `callsite(in @relu at the call)`; symbolic dimensions of `@relu` become those of the operands.
//! Leaves alone: calls of functions without a body; functions that something else refers to by symbol.
//! Relies on: the verifier refusing recursion.   Guarantees: no call of a function with a body remains. Time is linear in
//! the size of the result, which is limited.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        AttrMap, Attribute, Dim, Loc, Module, OpId, Opcode, Type, ValueId,
        module::{Location, UserLocation},
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "inline-calls",
    summary: "Replace calls by the bodies of the functions they call",
    phase: Phase::Tensor,
    run,
};

/// Calls that call calls can grow without bound: more operations than this are refused.
const OPERATIONS_MAX: u64 = 1 << 22;

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let graph = CallGraph::of(module);
    let order = graph.callees_first();
    graph.check_growth(module, &order)?;
    let mut inlined = 0;
    for function in order {
        let calls = &graph.calls[function];
        if !calls.is_empty() {
            inline_into(module, graph.functions[function], &graph, calls);
            inlined += calls.len() as u64;
        }
    }
    let dropped = drop_unreferenced(module);
    context.count("calls inlined", inlined);
    context.count("functions dropped", dropped);
    Ok(Changed::from(inlined + dropped > 0))
}

/// Who calls whom; functions by position.
struct CallGraph {
    functions: Vec<OpId>,
    /// The calls in each function that can be inlined: operation and callee.
    calls: Vec<HashMap<OpId, usize>>,
    /// Operations of each function, before anything is inlined.
    sizes: Vec<u64>,
}

impl CallGraph {
    fn of(module: &Module) -> CallGraph {
        let functions: Vec<OpId> = module.functions().collect();
        let position: HashMap<&str, usize> =
            functions.iter().enumerate().filter_map(|(at, op)| Some((symbol_name(module, *op)?, at))).collect();
        let (mut calls, mut sizes) = (Vec::new(), Vec::new());
        for function in &functions {
            let ops = module.walk(*function);
            sizes.push(ops.len() as u64);
            let callee = |op: OpId| {
                let Some(Attribute::Symbol(path)) = module.op(op).attr("callee") else { return None };
                let callee = *position.get(&**path.first()?)?;
                module.region_block(functions[callee], 0).map(|_| callee)
            };
            let called = ops.into_iter().filter(|op| module.op(*op).opcode == Opcode::FuncCall);
            calls.push(called.filter_map(|op| Some((op, callee(op)?))).collect());
        }
        CallGraph { functions, calls, sizes }
    }

    /// Every function after those it calls; the verifier refuses recursion.
    fn callees_first(&self) -> Vec<usize> {
        let mut graph = DiGraph::<(), ()>::new();
        let nodes: Vec<_> = self.functions.iter().map(|_| graph.add_node(())).collect();
        for (caller, calls) in self.calls.iter().enumerate() {
            for callee in calls.values() {
                graph.update_edge(nodes[caller], nodes[*callee], ());
            }
        }
        kosaraju_scc(&graph).into_iter().flatten().map(|node| node.index()).collect()
    }

    fn check_growth(&self, module: &Module, order: &[usize]) -> Result<(), Diagnostics> {
        let mut sizes = self.sizes.clone();
        let mut total = 0u64;
        for function in order {
            let added = self.calls[*function].values().map(|callee| sizes[*callee]);
            sizes[*function] = added.fold(sizes[*function], u64::saturating_add);
            total = total.saturating_add(sizes[*function]);
            if total > OPERATIONS_MAX {
                let op = self.functions[*function];
                let name = symbol_name(module, op).unwrap_or("?");
                let message = format!(
                    "with its calls inlined, @{name} brings the module to {total} operations, more than {OPERATIONS_MAX}"
                );
                return Err(module.error(op, message).into());
            }
        }
        Ok(())
    }
}

fn symbol_name(module: &Module, op: OpId) -> Option<&str> {
    module.op(op).attr("sym_name").and_then(Attribute::as_str)
}

/// Inlines all calls in one function, in textual order: so what a call's operands stand for is known when it is reached.
fn inline_into(module: &mut Module, function: OpId, graph: &CallGraph, calls: &HashMap<OpId, usize>) {
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    for op in module.walk(function) {
        for operand in &mut module.op_mut(op).operands {
            *operand = replaced.get(operand).copied().unwrap_or(*operand);
        }
        if let Some(callee) = calls.get(&op) {
            let returned = inline_call(module, op, graph.functions[*callee]);
            replaced.extend(module.op(op).results.iter().copied().zip(returned));
            module.erase(op);
        }
    }
}

/// Copies the callee's operations before the call and returns what it returns.
fn inline_call(module: &mut Module, call: OpId, callee: OpId) -> Vec<ValueId> {
    let body = module.region_block(callee, 0).expect("the callee should have a body");
    let arguments = module.block(body).arguments.clone();
    let operands = module.op(call).operands.clone();
    let terminator = module.block(body).last().expect("the verifier should reject a function without a terminator");
    let dims = dim_substitution(module, call, &arguments, terminator);
    let marks = inherited_marks(&module.op(call).attrs);
    let mut locations = CallSites { call: module.op(call).loc, known: HashMap::new() };

    let mut mapping: HashMap<ValueId, ValueId> = arguments.into_iter().zip(operands).collect();
    for op in module.block_op_ids(body) {
        if op == terminator {
            break;
        }
        let copy = module.clone_op(op, &mut mapping);
        module.insert_before(call, copy);
        for nested in module.walk(copy) {
            let loc = locations.of(module, module.op(nested).loc);
            module.op_mut(nested).loc = loc;
            if !module.op(nested).opcode.def().is_terminator() {
                inherit(&mut module.op_mut(nested).attrs, &marks);
            }
            if !dims.is_empty() {
                substitute_dims(module, nested, &dims);
            }
        }
    }
    module.op(terminator).operands.iter().map(|value| mapping.get(value).copied().unwrap_or(*value)).collect()
}

/// Attributes of a call that say where and how its operations run, not what is called.
fn inherited_marks(attrs: &AttrMap) -> Vec<(Arc<str>, Attribute)> {
    let is_mark = |name: &str| name.starts_with('_') || name.contains('.');
    attrs.iter().filter(|(name, _)| is_mark(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Adds marks to an operation. Its own win; dictionaries are merged.
fn inherit(attrs: &mut AttrMap, marks: &[(Arc<str>, Attribute)]) {
    for (name, mark) in marks {
        let merged = match (attrs.get(name), mark) {
            (None, mark) => mark.clone(),
            (Some(Attribute::Dictionary(own)), Attribute::Dictionary(outer)) => {
                let mut merged = (**outer).clone();
                for (key, value) in own.iter() {
                    merged.set(key.clone(), value.clone());
                }
                Attribute::Dictionary(merged.into())
            }
            (Some(_), _) => continue,
        };
        attrs.set(name.clone(), merged);
    }
}

/// Locations of inlined operations, each made once.
struct CallSites {
    call: Loc,
    known: HashMap<Loc, Loc>,
}

/// Locations nest as calls do; beyond this the outermost callers are left out.
const CALL_SITES_MAX: usize = 32;

impl CallSites {
    fn of(&mut self, module: &mut Module, loc: Loc) -> Loc {
        if let Some(known) = self.known.get(&loc) {
            return *known;
        }
        let callee = module.location(loc).clone();
        let site = if nesting(callee.user.as_deref()) >= CALL_SITES_MAX {
            loc
        } else {
            let caller = user_location(module.location(self.call));
            let user = UserLocation::CallSite { callee: user_location(&callee), caller };
            module.add_location(Location { position: callee.position, user: Some(Arc::new(user)) })
        };
        self.known.insert(loc, site);
        site
    }
}

fn nesting(mut location: Option<&UserLocation>) -> usize {
    let mut depth = 0;
    while let Some(UserLocation::CallSite { callee, .. }) = location {
        (location, depth) = (Some(&**callee), depth + 1);
    }
    depth
}

/// What a location says to the user: its `loc(…)`, or else its place in the file.
fn user_location(location: &Location) -> Arc<UserLocation> {
    let position = &location.position;
    location.user.clone().unwrap_or_else(|| {
        let start = (position.line, position.column);
        Arc::new(UserLocation::File { file: position.file.clone(), start, end: None })
    })
}

/// What the callee's symbolic dimensions are in the caller: by its arguments, else by its results.
fn dim_substitution(module: &Module, call: OpId, arguments: &[ValueId], terminator: OpId) -> HashMap<Arc<str>, Dim> {
    let operation = module.op(call);
    let inside = arguments.iter().chain(&module.op(terminator).operands);
    let outside = operation.operands.iter().chain(&operation.results);
    let mut dims = HashMap::new();
    for (inner, outer) in inside.zip(outside) {
        let (Some(inner), Some(outer)) = (module.ty(*inner).as_tensor(), module.ty(*outer).as_tensor()) else { continue };
        for (inner, outer) in inner.shape.iter().zip(&outer.shape) {
            if let Dim::Symbol(symbol) = inner {
                dims.entry(symbol.name.clone()).or_insert_with(|| outer.clone());
            }
        }
    }
    dims.retain(|name, dim| !matches!(dim, Dim::Symbol(symbol) if symbol.name == *name));
    dims
}

/// Rewrites the types of an operation's results and of the arguments of its regions.
fn substitute_dims(module: &mut Module, op: OpId, dims: &HashMap<Arc<str>, Dim>) {
    let mut values: Vec<ValueId> = module.op(op).results.to_vec();
    for region in &module.op(op).regions {
        for block in &module.region(*region).blocks {
            values.extend(&module.block(*block).arguments);
        }
    }
    for value in values {
        let Some(tensor) = module.ty(value).as_tensor() else { continue };
        let mut tensor = tensor.clone();
        for dim in &mut tensor.shape {
            if let Dim::Symbol(symbol) = dim
                && let Some(outer) = dims.get(&symbol.name)
            {
                *dim = outer.clone();
            }
        }
        module.value_mut(value).ty = Type::from(tensor);
    }
}

/// Erases private functions that no function that stays refers to. Returns how many.
fn drop_unreferenced(module: &mut Module) -> u64 {
    let functions: Vec<OpId> = module.functions().collect();
    let by_name: HashMap<String, OpId> =
        functions.iter().filter_map(|op| Some((symbol_name(module, *op)?.to_owned(), *op))).collect();
    let is_private = |op: &OpId| module.op(*op).attr("sym_visibility").and_then(Attribute::as_str) == Some("private");
    let is_entry = |op: &OpId| functions.len() == 1 || symbol_name(module, *op) == Some("main");
    let stays = |op: &OpId| !is_private(op) || is_entry(op);
    let mut pending: Vec<OpId> = module.block_ops(module.body()).filter(stays).collect();
    let mut kept: HashSet<OpId> = pending.iter().copied().collect();
    while let Some(op) = pending.pop() {
        let mut referred = Vec::new();
        for op in module.walk(op) {
            module.op(op).attrs.iter().for_each(|(_, attribute)| collect_symbols(attribute, &mut referred));
        }
        let functions = referred.iter().filter_map(|name| by_name.get(&**name));
        pending.extend(functions.filter(|function| kept.insert(**function)));
    }
    let dropped: Vec<OpId> = functions.into_iter().filter(|op| !kept.contains(op)).collect();
    dropped.iter().for_each(|op| module.erase(*op));
    dropped.len() as u64
}

fn collect_symbols(attribute: &Attribute, found: &mut Vec<Arc<str>>) {
    match attribute {
        Attribute::Symbol(path) => found.extend(path.first().cloned()),
        Attribute::Array(items) => items.iter().for_each(|item| collect_symbols(item, found)),
        Attribute::Dictionary(map) => map.iter().for_each(|(_, item)| collect_symbols(item, found)),
        _ => {}
    }
}
