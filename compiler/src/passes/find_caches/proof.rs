//! What is read of a cache: every reader, and that each reads rows up to the written ones only.

use std::collections::{BTreeSet, HashMap};

use smallvec::SmallVec;

use super::{
    Obstacle,
    stacked::{LayerRead, layer_read, slice_of_layer},
    update::Update,
};
use crate::{
    ir::{Attribute, BlockId, Module, OpId, Opcode, ValueId, ops::view::View},
    passes::{
        build::{integers_attr, static_tensor},
        positions::{Lookup, Position},
        view::{Digit, seen_through},
    },
};

/// What a bound rests on that cannot be proved: it is about values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Premise {
    /// Weights of zero times rows that are not read.
    FiniteRows,
    /// Scores so far above the fill that its exponential is zero.
    ScoresAboveFill,
    /// Scores of hidden keys, which the fill is added to.
    FiniteScores,
}

impl Premise {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Premise::FiniteRows => "rows that are not read are finite",
            Premise::ScoresAboveFill => "scores are well above the fill of the mask",
            Premise::FiniteScores => "scores of hidden keys, which the fill is added to, are finite",
        }
    }
}

/// An attention that reads a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Which.
    pub attention: OpId,
    /// Whether as keys; else as values.
    pub is_key: bool,
}

/// What is known of who reads a cache.
#[derive(Debug)]
pub struct Proved {
    /// The attentions among its readers.
    pub readers: Vec<Reader>,
    /// How many rows up to the position all of them look at, where that is fewer than all; it holds if the bound does.
    pub window: Option<i64>,
    /// One that looks at all rows, where others do not.
    pub windowless: Option<OpId>,
    /// What the bound rests on, or why there is none.
    pub bound: Result<BTreeSet<Premise>, Obstacle>,
}

/// A fill above this is not far enough below scores: `exp` of the difference may count.
const FILL_MAX: f64 = -1e4;

const MASK_REMEDY: &str = "mask with `key <= position` of the row that is written, filled with -inf";

/// Follows all who read a cache's old and new value in the block where it is updated.
pub fn prove(
    module: &Module,
    lookup: &mut Lookup,
    uses: &[SmallVec<[OpId; 2]>],
    (old, new): (ValueId, ValueId),
    update: &Update,
    home: BlockId,
) -> Proved {
    let mut readers = Vec::new();
    let mut refusal: Option<Obstacle> = None;
    let mut refuse = |reason: String, remedy: &'static str| {
        refusal.get_or_insert(Obstacle::new(reason, remedy));
    };
    if let Some(other) = uses[old.index()].iter().find(|op| **op != update.op) {
        refuse(format!("its old value is read by {}", named(module, *other)), "let nobody but attention read the cache, and that after its update");
    }
    if uses[old.index()].iter().filter(|op| **op == update.op).count() > 1 {
        refuse(format!("its old value is also what {} writes", named(module, update.op)), "write rows that are not the cache's own");
    }
    let end = module.block(home).last();
    let returned = end.map_or(&[][..], |end| &module.op(end).operands[..]);
    if returned.iter().filter(|value| **value == new).count() > 1 {
        refuse("its new value is given out as another result too".to_string(), "return it once");
    }
    let mut pending = vec![new];
    while let Some(value) = pending.pop() {
        for reader in &uses[value.index()] {
            match module.op(*reader).opcode {
                _ if Some(*reader) == end && value == new => {}
                Opcode::StablehloReshape => pending.push(module.op(*reader).results[0]),
                Opcode::StablehloDynamicSlice if is_own_layer(module, *reader, new, update) => {
                    pending.push(module.op(*reader).results[0]);
                }
                Opcode::PygAttention if update.layer.is_some() && !reads_one_layer(module, *reader) => {
                    refuse(format!("{} reads it together with what is no layer of the same number", named(module, *reader)), "give keys and values of all layers a tensor each, and loop over both at once");
                }
                Opcode::PygAttention => {
                    let operands = &module.op(*reader).operands;
                    let roles: Vec<usize> = (0..operands.len()).filter(|at| operands[*at] == value).collect();
                    match roles[..] {
                        [role @ (1 | 2)] => readers.push(Reader { attention: *reader, is_key: role == 1 }),
                        _ => refuse(format!("{} reads it as more than keys or values", named(module, *reader)), "give keys and values a cache each"),
                    }
                }
                _ => refuse(format!("its new value is read by {}, which is no attention", named(module, *reader)), "let nobody but attention read the cache, and that after its update"),
            }
        }
    }
    if readers.is_empty() {
        refuse("no attention reads it".to_string(), "let an attention that is recognised read it, if it is read by position");
    }
    let mut premises = BTreeSet::new();
    let mut windows: Vec<(OpId, Option<i64>)> = Vec::new();
    for reader in &readers {
        match bounded(module, lookup, *reader, new, update) {
            Ok(Bounded { rests_on, behind }) => {
                premises.extend(rests_on);
                let window = module.op(reader.attention).attr("window").and_then(Attribute::as_i64);
                windows.push((reader.attention, window.map(|window| window.saturating_add(behind))));
            }
            Err(reason) => refuse(format!("{reason} in {}", named(module, reader.attention)), MASK_REMEDY),
        }
    }
    let widest = windows.iter().filter_map(|(_, window)| *window).max();
    let windowless = windows.iter().find(|(_, window)| window.is_none()).map(|(attention, _)| *attention);
    Proved {
        readers,
        window: widest.filter(|_| windowless.is_none()),
        windowless: windowless.filter(|_| widest.is_some()),
        bound: refusal.map_or(Ok(premises), Err),
    }
}

/// True if an operation slices the layer of a new state that is written in the same iteration.
fn is_own_layer(module: &Module, slice: OpId, new: ValueId, update: &Update) -> bool {
    update.layer.is_some_and(|layer| slice_of_layer(module, slice) == Some(LayerRead { state: new, layer }))
}

/// True if the keys and the values of an attention are layers of one number.
fn reads_one_layer(module: &Module, attention: OpId) -> bool {
    let layers = [1, 2].map(|role| layer_read(module, module.op(attention).operands[role]).map(|read| read.layer));
    layers[0].is_some() && layers[0] == layers[1]
}

/// An operation as remarks name it.
pub fn named(module: &Module, op: OpId) -> String {
    format!("`{}` at {}", module.op(op).opcode.name(), module.location(module.op(op).loc).position)
}

/// What is known of an attention that sees rows up to the written ones only.
struct Bounded {
    rests_on: Vec<Premise>,
    /// By how many rows its last key lies before the written ones, at most.
    behind: i64,
}

/// That an attention sees rows up to the written ones only.
fn bounded(
    module: &Module,
    lookup: &mut Lookup,
    reader: Reader,
    cache: ValueId,
    update: &Update,
) -> Result<Bounded, String> {
    let attention = reader.attention;
    let view = View::of(module, attention);
    let (shape, _) = static_tensor(module, cache).ok_or("a shape is not known")?;
    let extent = shape[update.token_dim];
    same_tokens(module, reader, cache, update, &shape)?;
    let &[positions] = view.group("positions") else {
        return Err("the mask is not proved to be `key <= position`".to_string());
    };
    let fill = match module.op(attention).attr("fill") {
        Some(Attribute::Float { bits, .. }) => f64::from_bits(*bits),
        _ => f64::NEG_INFINITY,
    };
    let is_finite = fill != f64::NEG_INFINITY;
    let shown = fill as f32;
    if is_finite && (fill.is_nan() || fill > FILL_MAX) {
        return Err(format!("hidden scores get {shown:?}, which is not far below others: hidden rows count"));
    }
    if is_finite && !view.group("mask").is_empty() {
        return Err(format!("a second mask may hide every key, and then all rows count alike, filled with {shown:?}"));
    }
    let diagonal = module.op(attention).attr("diagonal").and_then(Attribute::as_i64).unwrap_or(0);
    let limits = lookup.of(module, positions, extent as i64).ok_or("positions of the mask are no signed integers, or too many to look at")?;
    let limit_slots = static_tensor(module, positions).map_or(1, |(shape, _)| shape[0] as usize);
    let per_slot = limits.len() / limit_slots.max(1);
    let slots = limit_slots.max(update.rows.len());
    let mut behind = 0;
    for slot in 0..slots {
        let rows = &update.rows[if update.rows.len() == 1 { 0 } else { slot }];
        let written = extremes(rows);
        let from = if limit_slots == 1 { 0 } else { slot } * per_slot;
        for limit in &limits[from..from + per_slot] {
            let limit = limit.plus(diagonal).ok_or("the mask's limit is out of range")?;
            let Some((least, most)) = written.get(&limit.root) else {
                return Err("the mask goes by another position than the update".to_string());
            };
            if limit.offset > *most {
                let ahead = limit.offset - most;
                return Err(format!("the mask shows {ahead} more rows than those up to the position that is written"));
            }
            behind = behind.max(least.saturating_sub(limit.offset));
            if is_finite && behind > 0 {
                return Err(format!(
                    "the mask shows {behind} rows fewer than those up to the position that is written: where it shows none, all \
                     rows count alike, filled with {shown:?}"
                ));
            }
        }
    }
    let mut rests_on = vec![Premise::FiniteRows];
    if is_finite {
        rests_on.push(Premise::ScoresAboveFill);
    }
    if view.flag("mask_adds") {
        rests_on.push(Premise::FiniteScores);
    }
    Ok(Bounded { rests_on, behind })
}

/// Least and largest offset for every root.
fn extremes(rows: &[Position]) -> HashMap<Option<(ValueId, u64)>, (i64, i64)> {
    let mut extremes = HashMap::new();
    for row in rows {
        let (least, most) = extremes.entry(row.root).or_insert((row.offset, row.offset));
        *least = row.offset.min(*least);
        *most = row.offset.max(*most);
    }
    extremes
}

/// That the tokens of an attention are the cache's, and lie as they do there.
fn same_tokens(module: &Module, reader: Reader, cache: ValueId, update: &Update, shape: &[u64]) -> Result<(), String> {
    let (role, name) = if reader.is_key { (1, "k_dims") } else { (2, "v_dims") };
    let view = seen_through(module, module.op(reader.attention).operands[role]);
    let is_cache = |base: ValueId| {
        base == cache || module.defining_op(base).is_some_and(|op| is_own_layer(module, op, cache, update))
    };
    let view = view.filter(|view| is_cache(view.base)).ok_or("the cache is not read as it lies")?;
    let dims = integers_attr(module, reader.attention, name).unwrap_or_default();
    let stride: u64 = shape[update.token_dim + 1..].iter().product();
    let wanted = Digit { extent: shape[update.token_dim], stride };
    let fits = dims.get(1).is_some_and(|dim| view.dims[*dim as usize][..] == [wanted]);
    if fits { Ok(()) } else { Err("the tokens of the cache are not the keys".to_string()) }
}
