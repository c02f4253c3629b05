//! Writes what was found: arenas, places of caches in them, and which rows are mapped when.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use pygraph_artifact::plan::{Bind, Spread};

use super::{
    Cache, Obstacle, choice,
    layout::{Layer, Rows, Shared},
    length::{bound_length, set_length},
    listed,
    proof::{Premise, named},
    refusal,
    source::{Source, source_of},
    stacked::read_layer,
};
use crate::{
    ir::{AttrMap, Attribute, BlockId, Module, OpId, Opcode, Type, ValueId, module::OpParts},
    passes::{
        PassContext,
        emit::Emit,
        signature::{set_dictionaries, text},
    },
};

/// Writes arenas, attributes, lengths, and what the host does.
pub(super) fn write(
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
        let count: u64 = layers.iter().map(|layer| caches[layer[0]].layers).sum();
        let attrs = arena_attrs(&fresh, shared, count, context);
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
        let (mut first_offset, mut number) = (0, 0);
        for layer in layers {
            let layer_bytes: u64 = layer.iter().map(|cache| caches[*cache].row_bytes()).sum();
            let mut offset = first_offset;
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
                if caches[*cache].update.layer.is_some() {
                    place.set("layer_dim", Attribute::i64(0));
                    place.set("layer_bytes", Attribute::i64(layer_bytes as i64));
                }
                offset += caches[*cache].row_bytes();
                arguments[caches[*cache].argument].set("pyg.kv", Attribute::Dictionary(Arc::new(place)));
            }
            first_offset += layer_bytes * caches[layer[0]].layers;
            number += caches[layer[0]].layers;
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
    let stacks = caches.iter().filter(|cache| cache.update.layer.is_some());
    for reader in stacks.flat_map(|cache| &cache.readers).filter(|reader| reader.is_key) {
        read_layer(module, reader.attention);
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

fn arena_attrs(name: &str, shared: &Shared, layers: u64, context: &PassContext) -> AttrMap {
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
        ("token_bytes", Attribute::i64((row_bytes * layers) as i64)),
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
