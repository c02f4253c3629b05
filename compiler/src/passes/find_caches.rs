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
//! place; it lies in no arena.
//! Leaves alone: state of fewer than two dimensions; functions that are not public; what has `pyg.kv` already.
//! Relies on: `recognize-attention` and `drop-dead-ops`.   Guarantees: every cache of an arena has its layer and role; a refusal
//! is a decision with what would change it.

mod proof;
mod stacked;
mod update;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use pygraph_artifact::plan::{Bind, Spread};
use smallvec::SmallVec;

use self::{
    proof::{Premise, Reader, named, prove},
    update::{Update, update_of},
};
use super::{
    Changed, KvGrouping, PassContext, PassDef, Phase,
    build::static_tensor,
    emit::{Emit, Number, Out},
    positions::{Lookup, Position},
    signature::{dictionaries, is_public, set_dictionaries, text},
    thread_random_state::INITIAL,
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{
        AttrMap, Attribute, BlockId, Definition, ElementType, Module, OpId, Opcode, Type, ValueId,
        enums::ComparisonDirection,
        module::OpParts,
    },
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
    let (stacked, is_changed) = carry_stacked(module, context, function, block, &arguments);
    let mut caches = Vec::new();
    let uses = module.uses();
    let mut lookup = Lookup::default();
    for (argument, attrs) in arguments.iter().enumerate() {
        let is_known = attrs.get("pyg.kv").is_some() || attrs.get(INITIAL).is_some();
        if is_known || text(attrs, "pyg.bind").as_deref() != Some(Bind::State.name()) {
            continue;
        }
        let name = text(attrs, "pyg.name").unwrap_or_else(|| Arc::from(format!("arg{argument}")));
        let found = match stacked.get(&argument) {
            Some((carrier, obstacle)) => Err((Some(*carrier), obstacle.clone())),
            None => cache_of(module, &mut lookup, &uses, block, (argument, attrs), &name),
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
            source_of(module, block, &arguments, cache.home, &cache.update)?;
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

/// Lets loops over layers carry the state that they replace; says of each such argument where, and why it lies in no arena, and whether anything changed.
fn carry_stacked(
    module: &mut Module,
    context: &PassContext,
    function: OpId,
    block: BlockId,
    arguments: &[AttrMap],
) -> (HashMap<usize, (OpId, Obstacle)>, bool) {
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
                found.insert(argument, obstacle);
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
                let reason = "holds several layers in one tensor, and an arena takes one layer an argument";
                let remedy = "give every layer an argument of its own, and unroll the loop over layers";
                found.insert(argument, (stacked.carrier, Obstacle::new(reason, remedy)));
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
    let update = update_of(module, lookup, op, old).map_err(at_op)?;
    let others: Vec<u64> = (0..shape.len()).filter(|dim| *dim != update.token_dim).map(|dim| shape[dim]).collect();
    // Batch, heads, features: as many as there are, the last first.
    let slot_dim = (update.token_dim > 0 && others.len() > 1).then_some(0);
    let (slots, heads, features) = match (&others[..], update.token_dim) {
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

/// Where positions come from.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// The value, an argument of the block in which rows are written.
    root: ValueId,
    /// How it is spread over rows.
    spread: Spread,
    /// The function's argument that it is, or that a loop starts with.
    argument: Option<usize>,
}

/// Where the positions of an update come from: an argument, or nowhere if they are known.
fn source_of(
    module: &Module,
    block: BlockId,
    arguments: &[AttrMap],
    home: BlockId,
    update: &Update,
) -> Result<Option<Source>, Obstacle> {
    let all: Vec<&Position> = update.rows.iter().flatten().collect();
    if all.iter().all(|position| position.root.is_none()) {
        return Ok(None);
    }
    let roots: Option<BTreeSet<ValueId>> = all.iter().map(|position| Some(position.root?.0)).collect();
    let root = roots.filter(|roots| roots.len() == 1).and_then(|roots| roots.into_iter().next());
    let root = root.ok_or_else(|| {
        Obstacle::new("its positions come from several values", "write all its rows at positions of one argument")
    })?;
    let place = |block: BlockId, value| module.block(block).arguments.iter().position(|argument| *argument == value);
    let own = place(home, root).ok_or_else(|| {
        Obstacle::new("its positions are computed on the device", "pass them as an argument")
    })?;
    let argument = if home == block {
        Some(own)
    } else {
        let carrier = module.block(home).parent().and_then(|region| module.region(region).parent());
        carrier.and_then(|carrier| place(block, *module.op(carrier).operands.get(own)?))
    };
    let name = argument.and_then(|argument| text(&arguments[argument], "pyg.name")).unwrap_or_default();
    let class = argument.and_then(|argument| text(&arguments[argument], "pyg.bind")).unwrap_or_default();
    if &*class == Bind::State.name() {
        let reason = format!("its positions are state (`{name}`), which the host does not see");
        return Err(Obstacle::new(reason, "pass them as an argument that is new each step"));
    }
    let spread = spread_of(module, root, &update.rows);
    let spread = spread.ok_or_else(|| {
        let reason = format!("its positions are spread over `{name}` in no plain order");
        Obstacle::new(reason, "pass one for all, one for each row of the batch, or one for each token")
    })?;
    Ok(Some(Source { root, spread, argument }))
}

/// How positions of an argument are those of rows.
fn spread_of(module: &Module, root: ValueId, rows: &[Vec<Position>]) -> Option<Spread> {
    let count = static_tensor(module, root)?.1.element_count()?;
    let at = |position: &Position| position.root.map(|(_, index)| index);
    let all = |wanted: &dyn Fn(u64, u64) -> u64| {
        (0u64..).zip(rows).all(|(slot, row)| {
            (0u64..).zip(row).all(|(token, position)| at(position) == Some(wanted(slot, token)))
        })
    };
    if count == 1 && all(&|_, _| 0) {
        Some(Spread::One)
    } else if count == rows.len() as u64 && rows.len() > 1 && all(&|slot, _| slot) {
        Some(Spread::Slots)
    } else {
        let is_tokens = rows.len() == 1 && count == rows[0].len() as u64 && all(&|_, token| token);
        is_tokens.then_some(Spread::Tokens)
    }
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

/// The positions of the rows that a step writes, by slot.
type Rows = Vec<Vec<Position>>;

/// One layer of an arena: the numbers of its caches, keys first.
type Layer = Vec<usize>;

/// What the caches of an arena share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shared {
    home: BlockId,
    rows: Rows,
    slots: u64,
    tokens: u64,
    heads: u64,
    features: Vec<u64>,
    element: ElementType,
    /// How many rows up to the position are read, if that is proved and fewer than all.
    window: Option<i64>,
    is_bounded: bool,
}

impl Shared {
    /// How many rows up to the position stay mapped, where that is fewer than all.
    fn rows_kept(&self, context: &PassContext) -> Option<i64> {
        let kept = self.window?.saturating_add(context.options.kv_rows_kept);
        (kept as u64 <= self.tokens.saturating_sub(1)).then_some(kept)
    }
}

/// Arenas with their layers, in order of the first.
fn arenas_of(caches: &[Cache], grouping: KvGrouping) -> Vec<(Shared, Vec<Layer>)> {
    let mut values: HashMap<OpId, usize> = HashMap::new();
    for (number, cache) in caches.iter().enumerate() {
        values.extend(cache.readers.iter().filter(|reader| !reader.is_key).map(|reader| (reader.attention, number)));
    }
    let mut taken: HashSet<usize> = HashSet::new();
    let mut layers: Vec<Layer> = Vec::new();
    for (number, cache) in caches.iter().enumerate() {
        let mut partners = cache.readers.iter().filter(|reader| reader.is_key).map(|reader| values.get(&reader.attention));
        let partner = partners.next().flatten().copied().filter(|partner| {
            let (other, same) = (&caches[*partner], |cache: &Cache| {
                (cache.slots, cache.tokens, cache.heads, cache.element.clone(), cache.window, cache.bound.is_ok())
            });
            *partner != number && other.home == cache.home && other.update.rows == cache.update.rows && same(other) == same(cache)
        });
        if let Some(partner) = partner.filter(|partner| grouping != KvGrouping::None && !taken.contains(partner)) {
            taken.extend([number, partner]);
            layers.push(vec![number, partner]);
        }
    }
    layers.extend((0..caches.len()).filter(|number| !taken.contains(number)).map(|number| vec![number]));
    layers.sort();
    let mut arenas: Vec<(Shared, Vec<Layer>)> = Vec::new();
    let mut numbers: HashMap<Shared, usize> = HashMap::new();
    for layer in layers {
        let first = &caches[layer[0]];
        let shared = Shared {
            home: first.home,
            rows: first.update.rows.clone(),
            slots: first.slots,
            tokens: first.tokens,
            heads: first.heads,
            features: layer.iter().map(|cache| caches[*cache].features).collect(),
            element: first.element.clone(),
            window: first.window.filter(|_| first.bound.is_ok()),
            is_bounded: first.bound.is_ok(),
        };
        match numbers.get(&shared).filter(|_| grouping == KvGrouping::All) {
            Some(number) => arenas[*number].1.push(layer),
            None => {
                numbers.insert(shared.clone(), arenas.len());
                arenas.push((shared, vec![layer]));
            }
        }
    }
    arenas
}

/// Writes arenas, attributes, lengths, and what the host does.
fn write(
    module: &mut Module,
    context: &PassContext,
    (function, block): (OpId, BlockId),
    arguments: &mut [AttrMap],
    caches: &[Cache],
    arenas: &[(Shared, Vec<Layer>)],
) {
    let mut bounds: HashMap<(BlockId, Rows), ValueId> = HashMap::new();
    let mut taken: Vec<String> = Vec::new();
    // What is put at the start of a block comes before what was first there, in order.
    let mut starts: HashMap<BlockId, OpId> = HashMap::new();
    for (shared, layers) in arenas {
        let fresh = module.free_symbol("kv");
        let attrs = arena_attrs(&fresh, shared, layers.len(), context);
        let other = if context.options.kv_share { alike(module, &attrs, &taken) } else { None };
        let name = match other {
            Some(other) => other,
            None => {
                let loc = module.op(caches[layers[0][0]].update.op).loc;
                let arena = module.create_op(Opcode::PygKvArena, OpParts { attrs, ..OpParts::default() }, loc);
                module.insert_before(function, arena);
                fresh
            }
        };
        taken.push(name.clone());
        let mut offset = 0;
        for (number, layer) in layers.iter().enumerate() {
            for (at, cache) in layer.iter().enumerate() {
                let is_value = at > 0 || caches[*cache].readers.iter().any(|reader| !reader.is_key);
                let mut place = AttrMap::from_iter([
                    ("arena", symbol(&name)),
                    ("layer", Attribute::i64(number as i64)),
                    ("role", Attribute::string(if is_value { "v" } else { "k" })),
                    ("offset", Attribute::i64(offset as i64)),
                    ("token_dim", Attribute::i64(caches[*cache].update.token_dim as i64)),
                ]);
                if let Some(dim) = caches[*cache].slot_dim {
                    place.set("slot_dim", Attribute::i64(dim));
                }
                offset += caches[*cache].row_bytes();
                arguments[caches[*cache].argument].set("pyg.kv", Attribute::Dictionary(Arc::new(place)));
            }
        }
        let members: Vec<&Cache> = layers.iter().flatten().map(|cache| &caches[*cache]).collect();
        report(module, context, function, &name, shared, &members);
        if !shared.is_bounded {
            continue;
        }
        let Some(first) = module.block(shared.home).first() else { continue };
        let first = *starts.entry(shared.home).or_insert(first);
        let source = source_of(module, block, arguments, shared.home, &members[0].update);
        let source = source.expect("a bound should have a source of positions");
        if let Some(argument) = source.and_then(|source| source.argument) {
            bind_to_host(module, context, &mut arguments[argument], first, &name);
        }
        let length = match bounds.get(&(shared.home, shared.rows.clone())) {
            Some(known) => *known,
            None => {
                let mut e = Emit::before(module, first);
                let made = bound_length(&mut e, &shared.rows, shared.tokens as i64, source);
                let made = made.expect("positions of integers should make a length");
                bounds.insert((shared.home, shared.rows.clone()), made);
                made
            }
        };
        let readers = || members.iter().flat_map(|cache| &cache.readers);
        let behind = behind_all(module, shared.home, readers().map(|reader| reader.attention));
        map_rows(module, context, (first, behind), &name, shared, source);
        for reader in readers() {
            set_length(module, reader.attention, length);
            if shared.window.is_some() {
                module.op_mut(reader.attention).attrs.set("skips_below", Attribute::Bool(true));
            }
        }
    }
    set_dictionaries(module, function, "arg_attrs", arguments.to_vec());
}

/// The operation behind the last of these, or a block's terminator where one of them is inside of another operation. (What is said of
/// positions no later than need be keeps no loop from counting them up in place.)
fn behind_all(module: &Module, block: BlockId, ops: impl Iterator<Item = OpId>) -> OpId {
    let listed = module.block_op_ids(block);
    let numbers: HashMap<OpId, usize> = listed.iter().enumerate().map(|(number, op)| (*op, number)).collect();
    let last = ops.map(|op| numbers.get(&op).copied()).collect::<Option<Vec<usize>>>();
    let behind = last.and_then(|numbers| listed.get(numbers.into_iter().max()? + 1));
    *behind.or(listed.last()).expect("a block with caches should have operations")
}

/// Writes which rows are mapped before what follows, and which stay when the readers are behind.
fn map_rows(
    module: &mut Module,
    context: &PassContext,
    (first, behind): (OpId, OpId),
    arena: &str,
    shared: &Shared,
    source: Option<Source>,
) {
    let (spread, roots) = source.map_or((Spread::One, Vec::new()), |source| (source.spread, vec![source.root]));
    let spelling = Spread::ALL.iter().find(|(_, case)| *case == spread).map_or("one", |(name, _)| name);
    // Rows that are alike in all slots are said once a slot all the same: it is read by more than one reader.
    let rows = (0..shared.slots as usize).map(|slot| &shared.rows[slot.min(shared.rows.len() - 1)]);
    let offsets = Attribute::i64_array(rows.flatten().map(|position| position.offset));
    let mut write = |before, opcode, window: Option<i64>| {
        let attrs = [("arena", symbol(arena)), ("spread", Attribute::string(spelling)), ("offsets", offsets.clone())];
        let window = window.map(|window| ("window", Attribute::i64(window)));
        let attrs: Vec<_> = attrs.into_iter().chain(window).collect();
        Emit::before(module, before).op_with_regions(opcode, &roots, vec![], &attrs, &[]);
    };
    let kept = shared.rows_kept(context);
    write(first, Opcode::PygKvEnsure, shared.window.filter(|_| kept.is_some()));
    if kept.is_some() {
        write(behind, Opcode::PygKvRetire, kept);
    }
}

/// The arena of another function that is like this one in all but its name.
fn alike(module: &Module, attrs: &AttrMap, taken: &[String]) -> Option<String> {
    let named = |op: &OpId| module.op(*op).attr("sym_name").and_then(Attribute::as_str).map(str::to_string);
    let same = |op: &OpId| {
        let own = &module.op(*op).attrs;
        attrs.iter().all(|(name, value)| &**name == "sym_name" || own.get(name) == Some(value))
            && own.get("window") == attrs.get("window")
    };
    let arenas = module.block_ops(module.body()).filter(|op| module.op(*op).opcode == Opcode::PygKvArena);
    arenas.filter(same).filter_map(|op| named(&op)).find(|name| !taken.contains(name))
}

fn symbol(name: &str) -> Attribute {
    Attribute::Symbol(Arc::from([Arc::from(name)]))
}

fn arena_attrs(name: &str, shared: &Shared, layers: usize, context: &PassContext) -> AttrMap {
    let element_bytes = shared.element.dtype().map_or(0, |dtype| dtype.size_bytes() as u64);
    let row_bytes = shared.features.iter().sum::<u64>() * shared.heads * element_bytes;
    let window = shared.rows_kept(context).map(|window| ("window", Attribute::i64(window)));
    let attrs = [
        ("sym_name", Attribute::string(name)),
        ("slots", Attribute::i64(shared.slots as i64)),
        ("tokens_max", Attribute::i64(shared.tokens as i64)),
        ("layers", Attribute::i64(layers as i64)),
        ("heads", Attribute::i64(shared.heads as i64)),
        ("features", Attribute::i64_array(shared.features.iter().map(|features| *features as i64))),
        ("element", Attribute::Type(Type::Scalar(shared.element.clone()))),
        ("token_bytes", Attribute::i64((row_bytes * layers as u64) as i64)),
        ("handle_bytes", Attribute::i64(context.options.kv_handle_bytes)),
        ("bounded", Attribute::Bool(shared.is_bounded)),
    ];
    attrs.into_iter().chain(window).collect()
}

/// Says what was proved, on which premises, or why nothing was.
fn report(module: &Module, context: &PassContext, function: OpId, arena: &str, shared: &Shared, members: &[&Cache]) {
    if shared.is_bounded {
        let premises: BTreeSet<Premise> = members.iter().filter_map(|cache| cache.bound.as_ref().ok()).flatten().copied().collect();
        let names = members.iter().map(|cache| format!("`{}`", cache.name)).collect::<Vec<_>>().join(", ");
        let (tokens, premises) = (shared.tokens, listed(&premises));
        let rows = shared.window.map_or("rows".to_string(), |window| format!("the last {window} rows"));
        let gone = match shared.rows_kept(context) {
            None => String::new(),
            Some(kept) => format!(" (those below the last {kept} are unmapped, and handed back as zeros, unless the caches were handed in)"),
        };
        let reason = format!("{names} lie in it, and only {rows} up to the position are read of its {tokens}{gone}, provided: {premises}");
        context.remark(choice(module, members[0].update.op, format!("@{arena}"), reason));
        for (cache, reader) in members.iter().filter_map(|cache| Some((cache, cache.windowless?))) {
            let reason = format!("rows below the window stay mapped, and are read: {} reads it too, and has no window", named(module, reader));
            let obstacle = Obstacle::new(reason, "give all who read the cache a window");
            context.remark(refusal(module, function, &cache.name, reader, &obstacle));
        }
        return;
    }
    for cache in members {
        if let Err(Obstacle { reason, remedy }) = &cache.bound {
            let reason = format!("it is in @{arena}, which is mapped in full: {reason}");
            let obstacle = Obstacle { reason, remedy: *remedy };
            context.remark(refusal(module, function, &cache.name, cache.update.op, &obstacle));
        }
    }
}

fn listed(premises: &BTreeSet<Premise>) -> String {
    premises.iter().map(|premise| premise.text()).collect::<Vec<_>>().join("; ")
}

/// The host needs positions that set a length.
fn bind_to_host(module: &Module, context: &PassContext, attrs: &mut AttrMap, at: OpId, arena: &str) {
    let old = text(attrs, "pyg.bind").unwrap_or_default();
    if &*old != Bind::Host.name() {
        let name = text(attrs, "pyg.name").unwrap_or_default();
        attrs.set("pyg.bind", Attribute::string(Bind::Host.name()));
        let reason = format!("it is bound as `host`, not `{old}`: it sets how much of @{arena} is mapped");
        context.remark(choice(module, at, format!("argument `{name}`"), reason));
    }
}

/// The length of each slot: `p < 0 ? S : min(p + 1, S)` for the largest position.
fn bound_length(
    e: &mut Emit,
    rows: &[Vec<Position>],
    tokens: i64,
    source: Option<Source>,
) -> Out {
    let shape = [rows.len() as i64, rows[0].len() as i64];
    let offsets: Vec<Number> = rows.iter().flatten().map(|position| Number::Int(position.offset)).collect();
    let Some(Source { root, spread, .. }) = source else {
        let length = |row: &Vec<Position>| {
            let all = || row.iter().map(|position| position.offset);
            let most = all().max().unwrap_or(0);
            Number::Int(if all().any(|offset| offset < 0) { tokens } else { most.saturating_add(1).min(tokens) })
        };
        let lengths: Vec<Number> = rows.iter().map(length).collect();
        return e.numbers(&lengths, &ElementType::I32, &[shape[0]]);
    };
    let own = match spread {
        Spread::One => [1, 1],
        Spread::Slots => [shape[0], 1],
        Spread::Tokens => [1, shape[1]],
    };
    let mut positions = e.reshape(root, &own)?;
    if offsets.iter().any(|offset| *offset != Number::Int(0)) || own != shape {
        let element = e.element(positions)?;
        positions = e.broadcast_in_dim(positions, &shape, &[0, 1])?;
        let offsets = e.numbers(&offsets, &element, &shape)?;
        positions = e.add(positions, offsets)?;
    }
    length_of(e, positions, tokens)
}

fn length_of(e: &mut Emit, positions: ValueId, tokens: i64) -> Out {
    let shape = e.shape(positions)?;
    let element = e.element(positions)?;
    let by_slot = |e: &mut Emit, opcode, init| {
        if shape[1] == 1 { e.reshape(positions, &shape[..1]) } else { e.fold(opcode, positions, init, &[1]) }
    };
    let most = by_slot(e, Opcode::StablehloMaximum, super::emit::lowest(&element))?;
    let least = by_slot(e, Opcode::StablehloMinimum, super::emit::highest(&element))?;
    // Least of all so that adding one does not wrap.
    let inside = e.binary_number(Opcode::StablehloMinimum, most, Number::Int(tokens - 1))?;
    let length = e.binary_number(Opcode::StablehloAdd, inside, Number::Int(1))?;
    let is_negative = e.compare_number(ComparisonDirection::Lt, least, Number::Int(0))?;
    let all = e.splat(Number::Int(tokens), &element, &shape[..1])?;
    e.select(is_negative, all, length)
}

/// Gives an attention its length, once.
fn set_length(module: &mut Module, attention: OpId, length: ValueId) {
    let Some(Attribute::DenseArray { element, values }) = module.op(attention).attr("operandSegmentSizes").cloned() else {
        return;
    };
    let mut sizes = values.to_vec();
    if sizes.last() == Some(&0) {
        sizes[6] = 1;
        let segments = Attribute::DenseArray { element, values: sizes.into() };
        module.op_mut(attention).attrs.set("operandSegmentSizes", segments);
        module.op_mut(attention).operands.push(length);
    }
}
