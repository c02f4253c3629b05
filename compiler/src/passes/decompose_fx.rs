//! Rewrites a PyTorch graph (`fx.call`) into StableHLO.
//!
//! Before: `%0 = "fx.call"(%x) {target = "aten.relu.default", args = ["%0"], device = "cuda:0"} : …`.
//! After: `%0 = stablehlo.maximum %x, %zero {fx.device = "cuda:0"}`.
//! What survives: the device of every call as `fx.device` on the operations that it becomes, a layout that is not
//! row-major as `fx.stride`; names, kinds, targets and devices of arguments and results. An in-place operator on an
//! argument, or on a view of one, becomes a leading result of kind `buffer_mutation` or `user_input_mutation`, as
//! `run_decompositions` has it, so that the exported and the core form of a model have one signature.
//! Leaves alone: functions without FX; operations of other dialects.
//! Relies on: nothing beyond the verifier.   Guarantees: no FX operation is left, all types are signless, every
//! operator that has no decomposition is reported in one go.

mod activation;
mod alias;
mod attention;
mod call;
mod complex;
mod control;
mod convolve;
mod create;
mod index;
mod linear;
mod loss;
mod normalize;
mod pointwise;
mod pool;
mod promote;
mod python;
mod random;
mod rearrange;
mod recurrent;
mod reduce;
mod resize;
mod scan;
mod shape;
mod sort;
mod table;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use alias::{Storage, Tracked};
use call::{Call, is_dynamic, signless};

use super::{
    Boundaries, Changed, PassContext, PassDef, Phase,
    emit::{Emit, Place, Refusal, static_shape},
    signature::{dictionaries, function_type, is_public, set_dictionaries, text},
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, ElementType, Loc, Module, OpId, Opcode, Type, ValueId, types::FunctionType},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "decompose-fx",
    summary: "Rewrite calls of PyTorch operators into StableHLO, keeping devices and turning mutations into results",
    phase: Phase::Import,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let functions: Vec<OpId> = module.functions().collect();
    let graphs: HashSet<Arc<str>> = functions.iter().flat_map(|function| sub_graphs(module, *function)).collect();
    let is_sub_graph = |module: &Module, function: OpId| {
        !is_public(module, function) && symbol_name(module, function).is_some_and(|name| graphs.contains(&name))
    };
    let mut importer = Importer {
        emit: Emit { place: Place::End(module.body()), loc: Loc::UNKNOWN, tags: AttrMap::default(), module },
        slots: HashMap::new(),
        storages: Vec::new(),
        errors: Vec::new(),
        active: Vec::new(),
        boundaries: context.options.boundaries,
        items: Vec::new(),
        refused: HashSet::new(),
    };
    let mut changed = false;
    let (sub_graphs, whole): (Vec<OpId>, Vec<OpId>) =
        functions.into_iter().partition(|function| is_sub_graph(importer.emit.module, *function));
    for function in whole {
        if is_fx(importer.emit.module, function) {
            importer.import(function);
            importer.items_on_device().into_iter().for_each(|remark| context.remark(remark));
            changed = true;
        }
    }
    if !importer.errors.is_empty() {
        return Err(Diagnostics(importer.errors));
    }
    for function in sub_graphs {
        importer.emit.module.erase(function);
    }
    Ok(changed.into())
}

/// One slot a value of the FX graph: what it is now.
enum Slot {
    /// It could not be computed; the reason is reported.
    Lost,
    /// Not a tensor of the graph (a result of type `none`).
    Nothing,
    /// A tensor with what it shares memory with.
    Tensor(Tracked),
}

struct Importer<'m> {
    emit: Emit<'m>,
    slots: HashMap<ValueId, Slot>,
    storages: Vec<Storage>,
    errors: Vec<Diagnostic>,
    /// Sub-graphs that are being inlined, outermost first.
    active: Vec<Arc<str>>,
    boundaries: Boundaries,
    /// Calls of `item()`: location and value.
    items: Vec<(Loc, ValueId)>,
    /// What calls without a decomposition read.
    refused: HashSet<ValueId>,
}

impl Importer<'_> {
    /// Gives a function a new body without FX operations.
    fn import(&mut self, function: OpId) {
        let Some(old) = self.emit.module.region_block(function, 0) else { return };
        if self.boundaries == Boundaries::Refuse
            && let Some(error) = dynamic_argument(self.emit.module, function, old)
        {
            self.errors.push(error);
            self.report_missing(old);
            return;
        }
        let region = self.emit.module.create_region();
        let new = self.emit.module.create_block(region);
        let arguments = self.emit.module.block(old).arguments.clone();
        for (index, argument) in arguments.iter().enumerate() {
            let (ty, name) = (signless(self.emit.module.ty(*argument)), self.emit.module.value(*argument).name.clone());
            let value = self.emit.module.add_argument(new, ty);
            self.emit.module.value_mut(value).name = name;
            self.bind_fresh(*argument, value, Some(index));
        }
        self.emit.place = Place::End(new);
        let Some(results) = self.block(old) else { return };
        self.finish(function, old, region, results);
    }

    /// Writes the return and the signature, mutated arguments first.
    fn finish(&mut self, function: OpId, old: BlockId, region: crate::ir::RegionId, results: Vec<ValueId>) {
        let module = &mut *self.emit.module;
        let (inputs, declared) = function_type(module, function);
        let argument_attrs = dictionaries(module, function, "arg_attrs", inputs.len());
        let mut attrs = dictionaries(module, function, "res_attrs", declared.len());
        let terminator = module.block(old).last();
        let returned = terminator.map(|op| module.op(op).operands.to_vec()).unwrap_or_default();
        for (value, map) in returned.iter().zip(&mut attrs) {
            if let Some(device) = device_of(module, *value, &argument_attrs) {
                map.set("fx.device", Attribute::String(device));
            }
        }
        let (mut values, mut all_attrs) = (Vec::new(), Vec::new());
        let mut mutated: Vec<&Storage> = self.storages.iter().filter(|storage| storage.generation > 0).collect();
        mutated.sort_by_key(|storage| storage.argument);
        for storage in mutated {
            let Some(index) = storage.argument else { continue };
            values.push(storage.value);
            all_attrs.push(mutation_attrs(&argument_attrs[index]));
        }
        values.extend(results);
        all_attrs.extend(attrs);

        if let Some(op) = terminator {
            self.emit.loc = module.op(op).loc;
        }
        self.emit.tags = AttrMap::default();
        self.emit.op_with_regions(Opcode::FuncReturn, &values, vec![], &[], &[]);
        let module = &mut *self.emit.module;
        let results = values.iter().map(|value| module.ty(*value).clone()).collect();
        let ty = FunctionType { inputs: inputs.iter().map(signless).collect(), results };
        let function = replace_body(module, function, region);
        module.op_mut(function).attrs.set("function_type", Attribute::Type(Type::Function(Arc::new(ty))));
        set_dictionaries(module, function, "arg_attrs", argument_attrs);
        set_dictionaries(module, function, "res_attrs", all_attrs);
        self.slots.clear();
        self.storages.clear();
    }

    /// Writes the operations of a block at the current place and returns what its terminator reads, none if something
    /// of it could not be computed.
    fn block(&mut self, block: BlockId) -> Option<Vec<ValueId>> {
        let last = self.emit.module.block(block).last();
        for op in self.emit.module.block_op_ids(block) {
            if Some(op) == last {
                let operands = self.emit.module.op(op).operands.clone();
                return self.read_all(op, &operands);
            }
            match self.emit.module.op(op).opcode {
                Opcode::FxCall => self.call(op),
                Opcode::FxGetAttr => {
                    let name = self.emit.module.op(op).attr("target").and_then(Attribute::as_str).unwrap_or_default();
                    let message = format!(
                        "the value of `{name}` is not in this file: export it as a constant input (torch.export lifts constants)"
                    );
                    self.refuse(op, message, "export it as a constant input");
                }
                _ => self.copy(op),
            }
        }
        Some(Vec::new())
    }

    /// Copies an operation of another dialect.
    fn copy(&mut self, op: OpId) {
        let operands = self.emit.module.op(op).operands.clone();
        let Some(values) = self.read_all(op, &operands) else { return self.lose(op, None) };
        let mut mapping: HashMap<ValueId, ValueId> = operands.into_iter().zip(values).collect();
        let copy = self.emit.module.clone_op(op, &mut mapping);
        if let Place::End(block) = self.emit.place {
            self.emit.module.append(block, copy);
        }
        for result in self.emit.module.op(op).results.clone() {
            self.bind_fresh(result, mapping[&result], None);
        }
    }

    /// Expands one call and records what its results share memory with and what it stores into.
    fn call(&mut self, op: OpId) {
        let operands = self.emit.module.op(op).operands.clone();
        let target = self.emit.module.op(op).attr("target").and_then(Attribute::as_str).unwrap_or_default();
        let target: Arc<str> = Arc::from(target);
        if let Some(reason) = table::unsupported(&target) {
            let reason = reason + &called_operator(self.emit.module, op);
            return self.refuse(op, reason, "write a decomposition, or a kernel of that name");
        }
        if operands.iter().any(|value| matches!(self.slots.get(value), Some(Slot::Lost) | None)) {
            return self.lose(op, None);
        }
        match self.expand(op) {
            Ok(()) if &*target == "aten._local_scalar_dense.default" => {
                let call = self.emit.module.op(op);
                self.items.push((call.loc, call.results[0]));
            }
            Ok(()) => {}
            Err(Refusal(reason)) => {
                self.refuse(op, format!("{target}: {reason}"), "export with fixed shapes, or without this call")
            }
        }
    }

    /// A call that does not run: an error, or a `pyg.boundary` with its results.
    fn refuse(&mut self, op: OpId, reason: String, remedy: &str) {
        let operands = self.emit.module.op(op).operands.clone();
        self.refused.extend(&operands);
        let values = match self.boundaries {
            Boundaries::Refuse => return self.lose(op, Some(reason)),
            Boundaries::Keep => self.read_all(op, &operands),
        };
        let Some(values) = values else { return self.lose(op, Some(reason)) };
        self.enter(op);
        let call = self.emit.module.op(op);
        let what = call.attr("target").cloned().unwrap_or(Attribute::string("fx.call"));
        let names = call.results.clone();
        let types = names.iter().map(|name| signless(self.emit.module.ty(*name))).filter(|ty| *ty != Type::None);
        let types: Vec<Type> = types.collect();
        let attrs = [("what", what), ("reason", Attribute::string(&reason)), ("remedy", Attribute::string(remedy))];
        let mut results = self.emit.op_with_regions(Opcode::PygBoundary, &values, types, &attrs, &[]).into_iter();
        for name in names {
            if *self.emit.module.ty(name) == Type::None {
                self.slots.insert(name, Slot::Nothing);
            } else if let Some(value) = results.next() {
                self.bind_fresh(name, value, None);
            }
        }
    }

    /// Remarks for calls of `item()` whose number nobody but the device needs.
    fn items_on_device(&mut self) -> Vec<Diagnostic> {
        let (items, refused) = (std::mem::take(&mut self.items), std::mem::take(&mut self.refused));
        let kept = items.into_iter().filter(|(_, value)| !refused.contains(value));
        let remark = |(loc, _): (Loc, ValueId)| {
            let decision = Decision {
                kind: DecisionKind::Rescue,
                op: "aten._local_scalar_dense.default".to_string(),
                reason: "`item()` only feeds work of the device, so its number stays there".to_string(),
                remedy: None,
            };
            Diagnostic::decision(self.emit.module.location(loc).position.clone(), decision)
        };
        kept.map(remark).collect()
    }

    fn expand(&mut self, op: OpId) -> Result<(), Refusal> {
        let operands = &self.emit.module.op(op).operands;
        if operands.iter().any(|operand| is_dynamic(self.emit.module.ty(*operand))) {
            return Err(Refusal::from("a dimension of an operand is known only at run time, and pygraph runs static shapes"));
        }
        if self.emit.module.op(op).results.iter().any(|result| is_dynamic(self.emit.module.ty(*result))) {
            return Err(Refusal::from(
                "a dimension of its result is known only at run time (it depends on the data), and pygraph runs static shapes",
            ));
        }
        let call = self.read_call(op)?;
        self.enter(op);
        let results = self.results_of(&call)?;
        self.check_results(&call, &results)?;
        self.bind_results(&call, &results);
        for (operand, contents) in call.writes.take() {
            let written = self.emit.module.op(op).operands[operand];
            self.write(written, contents)?;
        }
        Ok(())
    }

    /// The call with the present values of its operands.
    fn read_call(&mut self, op: OpId) -> Result<Call, Refusal> {
        let mut values = Vec::new();
        for operand in self.emit.module.op(op).operands.clone() {
            values.push(self.read(operand)?);
        }
        Call::read(self.emit.module, op, &values)
    }

    /// Location, device and layout of the operations that follow.
    fn enter(&mut self, op: OpId) {
        let call = self.emit.module.op(op);
        self.emit.loc = call.loc;
        let device = call.attr("device").cloned();
        self.emit.tags = device.into_iter().map(|device| ("fx.device", device)).collect();
    }

    /// What the operator computes.
    fn results_of(&mut self, call: &Call) -> Result<Vec<ValueId>, Refusal> {
        match call.target.as_ref() {
            "cond" => self.cond(call),
            "while_loop" => self.while_loop(call),
            target => match table::find(target) {
                Some(found) => table::apply(&found, &mut self.emit, call),
                None => Err(Refusal::from("no decomposition")),
            },
        }
    }

    /// The graph says what every result is; a decomposition that finds another type has misread the call.
    fn check_results(&self, call: &Call, results: &[ValueId]) -> Result<(), Refusal> {
        let declared: Vec<&Type> = call.results.iter().filter(|ty| **ty != Type::None).collect();
        for (index, ty) in declared.iter().enumerate() {
            let found = results.get(index).map(|value| self.emit.module.ty(*value));
            match found.map(|found| (found.as_tensor(), ty.as_tensor())) {
                Some((Some(found), Some(ty))) if found.shape == ty.shape && found.element == ty.element => {}
                Some((Some(found), Some(ty))) if found.element == ty.element => {
                    let (found, ty) = (static_shape(found)?, static_shape(ty)?);
                    return Err(Refusal(format!("result {index} would have shape {found:?}, but the graph says {ty:?}")));
                }
                Some((Some(found), Some(ty))) => {
                    let (found, ty) = (element_name(&found.element), element_name(&ty.element));
                    return Err(Refusal(format!("result {index} would be of {found}, but the graph says {ty}")));
                }
                _ => return Err(Refusal(format!("result {index} is missing"))),
            }
        }
        Ok(())
    }

    /// Reports an operation (unless what it reads is reported already) and gives up its results.
    fn lose(&mut self, op: OpId, message: Option<String>) {
        if let Some(message) = message {
            let error = self.emit.module.error(op, message);
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        for result in self.emit.module.op(op).results.clone() {
            self.slots.insert(result, Slot::Lost);
        }
    }

    /// Reports operators that have no decomposition without expanding anything.
    fn report_missing(&mut self, block: BlockId) {
        for op in self.emit.module.block_op_ids(block) {
            let operation = self.emit.module.op(op);
            let target = operation.attr("target").and_then(Attribute::as_str).unwrap_or_default();
            if operation.opcode != Opcode::FxCall {
                continue;
            }
            if let Some(reason) = table::unsupported(target) {
                self.errors.push(self.emit.module.error(op, reason));
            }
        }
    }
}

fn element_name(element: &ElementType) -> String {
    element.dtype().map_or_else(|| format!("{element:?}"), |dtype| dtype.to_string())
}

/// Which operator a call of `auto_functionalized_v2` is about.
fn called_operator(module: &Module, op: OpId) -> String {
    let name = match module.op(op).attr("args") {
        Some(Attribute::Array(args)) => {
            args.first().and_then(Attribute::as_str).and_then(|arg| arg.strip_prefix("str:"))
        }
        _ => None,
    };
    name.filter(|name| name.contains("::") || name.contains('.')).map(|name| format!(" of {name}")).unwrap_or_default()
}

/// A function in the place of another, with the same attributes and a new body.
fn replace_body(module: &mut Module, function: OpId, region: crate::ir::RegionId) -> OpId {
    let (attrs, loc) = (module.op(function).attrs.clone(), module.op(function).loc);
    let parts = crate::ir::module::OpParts {
        attrs,
        regions: smallvec::smallvec![region],
        ..crate::ir::module::OpParts::default()
    };
    let new = module.create_op(Opcode::FuncFunc, parts, loc);
    module.insert_before(function, new);
    module.erase(function);
    new
}

/// Kind and target of the result that carries the new contents of an argument.
fn mutation_attrs(argument: &AttrMap) -> AttrMap {
    let (kind, target) = match text(argument, "fx.kind").as_deref() {
        Some("buffer" | "parameter" | "constant_tensor") => ("buffer_mutation", text(argument, "fx.target")),
        _ => ("user_input_mutation", text(argument, "fx.name")),
    };
    let device = argument.get("fx.device").cloned().map(|device| ("fx.device", device));
    let target = target.map(|target| ("fx.target", Attribute::String(target)));
    [("fx.kind", Attribute::string(kind))].into_iter().chain(target).chain(device).collect()
}

/// The device that a value of the FX graph is on.
fn device_of(module: &Module, value: ValueId, arguments: &[AttrMap]) -> Option<Arc<str>> {
    match module.value(value).definition {
        crate::ir::Definition::Argument { index, .. } => text(arguments.get(index as usize)?, "fx.device"),
        crate::ir::Definition::Result { op, .. } => match module.op(op).attr("device") {
            Some(Attribute::String(device)) => Some(device.clone()),
            _ => None,
        },
    }
}

fn dynamic_argument(module: &Module, function: OpId, block: BlockId) -> Option<Diagnostic> {
    let argument = module.block(block).arguments.iter().find(|value| is_dynamic(module.ty(**value)))?;
    let name = module.value(*argument).name.as_deref().unwrap_or("?");
    let message = format!(
        "argument %{name} has a dimension known only at run time: pygraph runs static shapes, export the model without dynamic_shapes"
    );
    Some(module.error(function, message))
}

/// True if there is FX in a function: an operation, or a signature of its kinds and types.
fn is_fx(module: &Module, function: OpId) -> bool {
    let (inputs, results) = function_type(module, function);
    let is_foreign = inputs.iter().chain(&results).any(|ty| signless(ty) != *ty);
    let says_fx = |map: &AttrMap| map.iter().any(|(name, _)| name.starts_with("fx."));
    let has_kinds = dictionaries(module, function, "arg_attrs", inputs.len()).iter().any(says_fx);
    (is_foreign && has_kinds)
        || module.walk(function).iter().any(|op| matches!(module.op(*op).opcode, Opcode::FxCall | Opcode::FxGetAttr))
}

/// Names of the functions that FX calls in a function refer to.
fn sub_graphs(module: &Module, function: OpId) -> Vec<Arc<str>> {
    let calls = module.walk(function).into_iter().filter(|op| module.op(*op).opcode == Opcode::FxCall);
    let args = calls
        .filter_map(|op| if let Some(Attribute::Array(args)) = module.op(op).attr("args") { Some(args) } else { None });
    args.flat_map(|args| args.iter())
        .filter_map(|arg| if let Attribute::Symbol(path) = arg { path.first().cloned() } else { None })
        .collect()
}

fn symbol_name(module: &Module, function: OpId) -> Option<Arc<str>> {
    if let Some(Attribute::String(name)) = module.op(function).attr("sym_name") { Some(name.clone()) } else { None }
}
