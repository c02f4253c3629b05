//! Finds key-value caches, proves what attention reads of them, and says how they lie in arenas.
//!
//! Before: `%k: tensor<2x32x2x16xf32> {pyg.bind = "state", pyg.updated_by = 1}`, written at `%pos` and read by `pyg.attention`.
//! After: `pyg.kv.arena @kv` beside the function, `pyg.kv = {arena = @kv, layer = 0, role = "k"}` on the argument,
//! `pyg.kv.ensure` with the positions, `%pos` bound as `host`, and a `length` for the attention; where all readers look at a window of rows
//! up to the position, `skips_below` for them too, and `pyg.kv.retire`.
//!
//! A cache is `state` that a `dynamic_update_slice` or a `scatter` writes at positions and a result gives back. Its rows are
//! bounded by `p < 0 ? S : min(p + 1, S)` for the largest position `p` of a step, if the positions are an argument (wraps of
//! negative ones and clamps do not matter), nobody reads its old value, and all who read the new one are attention whose mask
//! is `key <= p` for the same `p`. Where a row of the mask could hide everything, a finite fill averages all rows of the cache:
//! there is no bound then. Premises about values (finite unread rows, scores well above the fill) stand in the decision;
//! `--strict` takes none. Without a bound the cache is mapped in full, and a decision says why.
//! With a bound and a window `W` (and as many rows more as a mask stays behind the position), rows below `p + 1 - W` are not read by this
//! step, nor by one that goes on from here: they are skipped, on the same premises, and retired, but for the last `--kv-rows-kept`.
//! A step whose positions are negative or not below `S` reads all rows, since a mask may show none then.
//! Caches that share positions, length, element type, head shape and window share an arena, as `--kv-grouping` says.
//! A loop that only carries a cache is looked into; `pyg.kv.ensure` stands in its body then, and its positions are the loop's.
//! State of several layers that a loop reads and writes a layer at a time is carried by that loop, so that it can be written in
//! place. If the loop writes rows at a position into each layer, they are written into the state itself; attention takes the state and
//! the layer's number; and the argument is as many layers of an arena, whose rows are mapped before the loop.
//! Leaves alone: state of fewer than two dimensions; functions that are not public; what has `pyg.kv` already.
//! Relies on: `recognize-attention` and `drop-dead-ops`.   Guarantees: every cache of an arena has its layer and role; a refusal
//! is a decision with what would change it.

mod layout;
mod length;
mod proof;
mod source;
mod stacked;
mod update;
mod write;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use pygraph_artifact::plan::Bind;
use smallvec::SmallVec;

use self::{
    layout::arenas_of,
    proof::{Premise, Reader, prove},
    source::source_of,
    update::{Update, update_of},
    write::write,
};
use super::{
    Changed, PassContext, PassDef, Phase,
    build::static_tensor,
    positions::Lookup,
    signature::{dictionaries, is_public, text},
    thread_random_state::INITIAL,
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, Definition, ElementType, Module, OpId, Opcode, ValueId},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "find-caches",
    summary: "Find key-value caches, bound what is read of them, and lay them out in arenas",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        if is_public(module, function)
            && let Some(block) = module.region_block(function, 0)
        {
            changed |= find(module, context, function, block);
        }
    }
    Ok(Changed::from(changed))
}

/// A cache.
#[derive(Debug)]
struct Cache {
    argument: usize,
    name: Arc<str>,
    /// Where it is updated: the function, or the body of a loop that carries it.
    home: BlockId,
    /// Where its rows are mapped: there, or before a loop over its layers.
    mapped_in: BlockId,
    /// How many layers it has.
    layers: u64,
    /// Its old value there.
    old: ValueId,
    update: Update,
    slots: u64,
    /// The dimension of the slots; none if there is one slot.
    slot_dim: Option<i64>,
    tokens: u64,
    heads: u64,
    features: u64,
    element: ElementType,
    /// How many rows up to the position all readers look at, where that is fewer than all.
    window: Option<i64>,
    /// A reader that looks at all rows, where others do not.
    windowless: Option<OpId>,
    readers: Vec<Reader>,
    /// What the bound rests on, or why there is none.
    bound: Result<BTreeSet<Premise>, Obstacle>,
}

/// Why something is not so, and what would change it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Obstacle {
    reason: String,
    remedy: Option<&'static str>,
}

impl Obstacle {
    /// One that a user can do something about.
    fn new(reason: impl Into<String>, remedy: &'static str) -> Obstacle {
        Obstacle { reason: reason.into(), remedy: Some(remedy) }
    }

    /// One about which nothing needs to be done.
    fn by_nature(reason: impl Into<String>) -> Obstacle {
        Obstacle { reason: reason.into(), remedy: None }
    }
}

/// What decisions about an argument that is state say that they are about.
pub fn subject(name: &str, function: &str) -> String {
    format!("state `{name}` of @{function}")
}

fn refusal(module: &Module, function: OpId, name: &str, at: OpId, obstacle: &Obstacle) -> Diagnostic {
    let function = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
    module.decision(at, Decision {
        kind: DecisionKind::Refusal,
        op: subject(name, function),
        reason: obstacle.reason.clone(),
        remedy: obstacle.remedy.map(str::to_string),
    })
}

fn choice(module: &Module, at: OpId, op: String, reason: String) -> Diagnostic {
    module.decision(at, Decision { kind: DecisionKind::Choice, op, reason, remedy: None })
}

impl Cache {
    /// Bytes of a token.
    fn row_bytes(&self) -> u64 {
        let element_bytes = self.element.dtype().map_or(0, |dtype| dtype.size_bytes() as u64);
        self.features * self.heads * element_bytes
    }
}

fn find(module: &mut Module, context: &PassContext, function: OpId, block: BlockId) -> bool {
    let mut arguments = dictionaries(module, function, "arg_attrs", module.block(block).arguments.len());
    let (stacks, is_changed) = carry_stacked(module, context, function, block, &arguments);
    let mut caches = Vec::new();
    let uses = module.uses();
    let mut lookup = Lookup::default();
    for (argument, attrs) in arguments.iter().enumerate() {
        let is_known = attrs.get("pyg.kv").is_some() || attrs.get(INITIAL).is_some();
        if is_known || text(attrs, "pyg.bind").as_deref() != Some(Bind::State.name()) {
            continue;
        }
        let name = text(attrs, "pyg.name").unwrap_or_else(|| Arc::from(format!("arg{argument}")));
        let found = match stacks.get(&argument) {
            Some(Err((carrier, obstacle))) => Err((Some(*carrier), obstacle.clone())),
            Some(Ok(stack)) => cache_of(module, &mut lookup, &uses, block, (argument, attrs), &name, Some(*stack)),
            None => cache_of(module, &mut lookup, &uses, block, (argument, attrs), &name, None),
        };
        match found {
            Ok(cache) => caches.push(cache),
            Err((at, obstacle)) => {
                let reason = format!("it is no cache, since it {}", obstacle.reason);
                let at = at.unwrap_or(function);
                context.remark(refusal(module, function, &name, at, &Obstacle { reason, ..obstacle }));
            }
        }
    }
    if caches.is_empty() {
        return is_changed;
    }
    for cache in &mut caches {
        let new = module.op(cache.update.op).results[0];
        let proved = prove(module, &mut lookup, &uses, (cache.old, new), &cache.update, cache.home);
        cache.readers = proved.readers;
        cache.window = proved.window.filter(|window| (*window as u64) < cache.tokens);
        cache.windowless = proved.windowless;
        cache.bound = proved.bound.and_then(|premises| {
            source_of(module, block, &arguments, cache.mapped_in, &cache.update)?;
            if context.options.strict && !premises.is_empty() {
                let reason = format!("it rests on premises, which --strict does not take: {}", listed(&premises));
                return Err(Obstacle::new(reason, "leave --strict out if they hold"));
            }
            Ok(premises)
        });
    }
    unbound_partners(&mut caches);
    let arenas = arenas_of(&caches, context.options.kv_grouping);
    write(module, context, (function, block), &mut arguments, &caches, &arenas);
    context.count("caches", caches.len() as u64);
    context.count("arenas", arenas.len() as u64);
    true
}

/// Layers in one tensor, of which a loop writes rows.
#[derive(Debug, Clone, Copy)]
struct Stack {
    layers: u64,
    /// The number of the layer in the loop's body.
    layer: ValueId,
}

/// By argument: the stack that it is, or where it shows why it is none.
type Stacks = HashMap<usize, Result<Stack, (OpId, Obstacle)>>;

/// Lets loops over layers carry the state that they replace, and write rows into it; says what each such argument is, and
/// whether anything changed.
fn carry_stacked(
    module: &mut Module,
    context: &PassContext,
    function: OpId,
    block: BlockId,
    arguments: &[AttrMap],
) -> (Stacks, bool) {
    let (mut found, mut changed) = (HashMap::new(), false);
    for (argument, attrs) in arguments.iter().enumerate() {
        if attrs.get("pyg.kv").is_some() || text(attrs, "pyg.bind").as_deref() != Some(Bind::State.name()) {
            continue;
        }
        let old = module.block(block).arguments[argument];
        let Some(new) = replacement(module, block, attrs) else { continue };
        match stacked::find(module, &module.uses(), old, new) {
            None => {}
            Some(Err(obstacle)) => {
                found.insert(argument, Err(obstacle));
            }
            Some(Ok(stacked)) => {
                stacked::rewrite(module, old, &stacked);
                changed = true;
                let name = text(attrs, "pyg.name").unwrap_or_else(|| Arc::from(format!("arg{argument}")));
                let symbol = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
                let layers = stacked.layers;
                let reason = format!(
                    "the loop reads each of its {layers} layers before it writes it, and writes each once: it carries the state itself, \
                     and no second one"
                );
                let decision = Decision { kind: DecisionKind::Rescue, op: subject(&name, symbol), reason, remedy: None };
                context.remark(module.decision(stacked.carrier, decision));
                let stack = Stack { layers, layer: stacked.counter };
                let written = if stacked::write_rows(module, &stacked) { Ok(stack) } else {
                    let reason = "holds several layers in one tensor, and a layer is replaced by something other than rows at a position";
                    let remedy = "write whole rows at a position into the layer that was sliced, if it is a cache";
                    Err((stacked.carrier, Obstacle::new(reason, remedy)))
                };
                found.insert(argument, written);
            }
        }
    }
    (found, changed)
}

/// The cache that an argument is, or why it is none, and at which operation that shows.
fn cache_of(
    module: &Module,
    lookup: &mut Lookup,
    uses: &[SmallVec<[OpId; 2]>],
    block: BlockId,
    (argument, attrs): (usize, &AttrMap),
    name: &Arc<str>,
    stack: Option<Stack>,
) -> Result<Cache, (Option<OpId>, Obstacle)> {
    let value = module.block(block).arguments[argument];
    let nowhere = |obstacle| (None, obstacle);
    let (shape, ty) = static_tensor(module, value).ok_or_else(|| {
        nowhere(Obstacle::new("has a shape that is not known yet", "give every dimension a number"))
    })?;
    if shape.len() < 2 || shape.contains(&0) || ty.element.dtype().is_none() {
        let reason = format!("is a {}, which has no rows of features", module.ty(value));
        return Err(nowhere(Obstacle::by_nature(reason)));
    }
    let new = replacement(module, block, attrs).ok_or_else(|| {
        nowhere(Obstacle::new("is not replaced by a result", "return its new value, and name that result"))
    })?;
    let (home, old, new) = carried_in(module, uses, (block, value, new));
    let op = module.defining_op(new).ok_or_else(|| {
        nowhere(Obstacle::new("is replaced by an argument", "write to it at a position, or bind what it holds as `once`"))
    })?;
    let at_op = |obstacle| (Some(op), obstacle);
    let update = update_of(module, lookup, op, old, stack.map(|stack| stack.layer)).map_err(at_op)?;
    let first = usize::from(stack.is_some());
    let others: Vec<u64> = (first..shape.len()).filter(|dim| *dim != update.token_dim).map(|dim| shape[dim]).collect();
    // Batch, heads, features: as many as there are, the last first.
    let slot_dim = (update.token_dim > first && others.len() > 1).then_some(first as i64);
    let (slots, heads, features) = match (&others[..], update.token_dim - first) {
        ([features], _) => (1, 1, *features),
        ([heads, features], 0) => (1, *heads, *features),
        ([slots, features], _) => (*slots, 1, *features),
        ([slots, heads, features], 1..) => (*slots, *heads, *features),
        _ => {
            let reason = format!("has {} dimensions beside its tokens", others.len());
            return Err(at_op(Obstacle::new(reason, "give every layer an argument of its own, with batch, heads and features")));
        }
    };
    if update.rows.len() > 1 && update.rows.len() as u64 != slots {
        let reason = "has positions for other rows than those of the batch";
        return Err(at_op(Obstacle::new(reason, "put the batch first")));
    }
    Ok(Cache {
        argument,
        name: name.clone(),
        home,
        mapped_in: if stack.is_some() { block } else { home },
        layers: stack.map_or(1, |stack| stack.layers),
        old,
        tokens: shape[update.token_dim],
        update,
        slots,
        slot_dim,
        heads,
        features,
        element: ty.element.clone(),
        window: None,
        windowless: None,
        readers: Vec::new(),
        bound: Ok(BTreeSet::new()),
    })
}

/// The value that replaces an argument when a step is over.
fn replacement(module: &Module, block: BlockId, attrs: &AttrMap) -> Option<ValueId> {
    let result = usize::try_from(attrs.get("pyg.updated_by")?.as_i64()?).ok()?;
    module.op(module.block(block).last()?).operands.get(result).copied()
}

/// If a loop does nothing with a value but carry it: its body, and the value there before and after an iteration.
fn carried_in(
    module: &Module,
    uses: &[SmallVec<[OpId; 2]>],
    (block, old, new): (BlockId, ValueId, ValueId),
) -> (BlockId, ValueId, ValueId) {
    let carried = || {
        let Definition::Result { op, index } = module.value(new).definition else { return None };
        let index = index as usize;
        let is_loop = module.op(op).opcode == Opcode::StablehloWhile
            && module.op(op).operands.get(index) == Some(&old)
            && uses[old.index()].len() == 1
            && uses[new.index()].len() == 1;
        if !is_loop {
            return None;
        }
        let (condition, body) = (module.region_block(op, 0)?, module.region_block(op, 1)?);
        let end = module.block(body).last()?;
        let is_unread = uses[module.block(condition).arguments.get(index)?.index()].is_empty();
        is_unread.then_some((body, *module.block(body).arguments.get(index)?, *module.op(end).operands.get(index)?))
    };
    carried().unwrap_or((block, old, new))
}

/// A bound holds for an attention only if it holds for its keys and its values.
fn unbound_partners(caches: &mut [Cache]) {
    loop {
        let mut unbound: HashMap<OpId, Arc<str>> = HashMap::new();
        let mut rows: HashMap<OpId, &Update> = HashMap::new();
        for cache in caches.iter() {
            for reader in &cache.readers {
                let is_other = rows.insert(reader.attention, &cache.update).is_some_and(|of| of.rows != cache.update.rows);
                if cache.bound.is_err() || is_other {
                    unbound.insert(reader.attention, cache.name.clone());
                }
            }
        }
        let mut changed = false;
        for cache in caches.iter_mut().filter(|cache| cache.bound.is_ok()) {
            if let Some(other) = cache.readers.iter().find_map(|reader| unbound.get(&reader.attention)) {
                let reason = format!("it is read together with `{other}`, which has no bound or other positions");
                cache.bound = Err(Obstacle::new(reason, "see what is said of that one"));
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

fn listed(premises: &BTreeSet<Premise>) -> String {
    premises.iter().map(|premise| premise.text()).collect::<Vec<_>>().join("; ")
}
