//! Operators whose arguments are sub-graphs: `cond` and `while_loop`.

use std::sync::Arc;

use super::{
    Importer, Slot,
    call::{Arg, Call},
};
use crate::{
    ir::{Opcode, RegionId, Type, ValueId},
    passes::emit::{Emit, Number, Out, Place, Refusal},
};

impl Importer<'_> {
    /// `cond(predicate, true_graph, false_graph, operands)`.
    pub(super) fn cond(&mut self, call: &Call) -> Result<Vec<ValueId>, Refusal> {
        let predicate = value_of(&mut self.emit, call.arg(0, "pred"))?;
        let predicate = self.emit.convert(predicate, &crate::ir::ElementType::BOOL)?;
        let predicate = self.emit.reshape(predicate, &[])?;
        let operands = self.values(call.arg(3, "operands"))?;
        let on_true = self.region(call.arg(1, "true_fn"), &[], &operands)?;
        let on_false = self.region(call.arg(2, "false_fn"), &[], &operands)?;
        let types = call.results.clone();
        Ok(self.emit.op_with_regions(Opcode::StablehloIf, &[predicate], types, &[], &[on_true, on_false]))
    }

    /// `while_loop(condition_graph, body_graph, carried, additional)`.
    pub(super) fn while_loop(&mut self, call: &Call) -> Result<Vec<ValueId>, Refusal> {
        let carried = self.values(call.arg(2, "carried_inputs"))?;
        let additional = self.values(call.arg(3, "additional_inputs"))?;
        let types: Vec<Type> = carried.iter().map(|value| self.emit.module.ty(*value).clone()).collect();
        let condition = self.region(call.arg(0, "cond_fn"), &types, &additional)?;
        let body = self.region(call.arg(1, "body_fn"), &types, &additional)?;
        Ok(self.emit.op_with_regions(Opcode::StablehloWhile, &carried, types, &[], &[condition, body]))
    }

    fn values(&mut self, list: &Arg) -> Result<Vec<ValueId>, Refusal> {
        match list {
            Arg::None => Ok(Vec::new()),
            Arg::List(list) => list.iter().map(|arg| value_of(&mut self.emit, arg)).collect(),
            _ => Err(Refusal::from("the operands of a sub-graph should be a list")),
        }
    }

    /// A region with arguments of these types that computes a sub-graph of them and of captured values.
    fn region(&mut self, graph: &Arg, types: &[Type], captured: &[ValueId]) -> Result<RegionId, Refusal> {
        let Arg::Graph(name) = graph else { return Err(Refusal::from("a sub-graph is missing")) };
        let region = self.emit.module.create_region();
        let block = self.emit.module.create_block(region);
        let mut arguments: Vec<ValueId> =
            types.iter().map(|ty| self.emit.module.add_argument(block, ty.clone())).collect();
        arguments.extend_from_slice(captured);
        let outer = (self.emit.place, self.emit.loc, self.emit.tags.clone());
        self.emit.place = Place::End(block);
        self.active.push(name.clone());
        let results = self.inline_graph(name, &arguments);
        self.active.pop();
        (self.emit.loc, self.emit.tags) = (outer.1, outer.2);
        if let Ok(results) = &results {
            self.emit.op_with_regions(Opcode::StablehloReturn, results, vec![], &[], &[]);
        }
        self.emit.place = outer.0;
        results.map(|_| region)
    }

    fn inline_graph(&mut self, name: &Arc<str>, arguments: &[ValueId]) -> Result<Vec<ValueId>, Refusal> {
        if self.active.iter().filter(|active| *active == name).count() > 1 {
            return Err(Refusal(format!("sub-graph @{name} calls itself")));
        }
        let function = self.emit.module.symbol(name).filter(|op| self.emit.module.op(*op).opcode == Opcode::FuncFunc);
        let block = function.and_then(|function| self.emit.module.region_block(function, 0));
        let block = block.ok_or_else(|| Refusal(format!("there is no sub-graph @{name}")))?;
        let names = self.emit.module.block(block).arguments.clone();
        if names.len() != arguments.len() {
            return Err(Refusal(format!("sub-graph @{name} takes {} operands, not {}", names.len(), arguments.len())));
        }
        for (name, value) in names.iter().zip(arguments) {
            self.bind_fresh(*name, *value, None);
        }
        let results = self.block(block);
        if names.iter().any(|argument| self.was_stored_into(*argument)) {
            return Err(Refusal(format!("sub-graph @{name} stores into its operands")));
        }
        results.ok_or_else(|| Refusal(format!("sub-graph @{name} can't be rewritten")))
    }

    fn was_stored_into(&self, name: ValueId) -> bool {
        matches!(self.slots.get(&name), Some(Slot::Tensor(tracked)) if self.is_changed(tracked))
    }
}

/// A tensor for any argument that is one or a number.
fn value_of(emit: &mut Emit, arg: &Arg) -> Out {
    use crate::ir::ElementType;
    match arg {
        Arg::Tensor(value, _) | Arg::Symbolic(value) => Ok(*value),
        Arg::Number(number @ Number::Bool(_)) => emit.scalar(*number, &ElementType::BOOL),
        Arg::Number(number @ Number::Int(_)) => emit.scalar(*number, &ElementType::I64),
        Arg::Number(number @ Number::Float(_)) => emit.scalar(*number, &ElementType::F64),
        _ => Err(Refusal::from("an operand of a sub-graph should be a tensor or a number")),
    }
}
