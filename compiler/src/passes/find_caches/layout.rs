//! Which caches lie in one arena, and in which layer.

use std::collections::{HashMap, HashSet};

use super::Cache;
use crate::{
    ir::{BlockId, ElementType, OpId},
    passes::{KvGrouping, PassContext, positions::Position},
};

/// The positions of the rows that a step writes, by slot.
pub(super) type Rows = Vec<Vec<Position>>;

/// One layer of an arena, or several where its caches are stacks of them: the numbers of its caches, keys first.
pub(super) type Layer = Vec<usize>;

/// What the caches of an arena share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// Where rows are mapped.
    pub home: BlockId,
    pub rows: Rows,
    pub slots: u64,
    pub tokens: u64,
    pub heads: u64,
    pub features: Vec<u64>,
    pub element: ElementType,
    /// How many rows up to the position are read, if that is proved and fewer than all.
    pub window: Option<i64>,
    pub is_bounded: bool,
}

impl Shared {
    /// How many rows up to the position stay mapped, where that is fewer than all.
    pub fn rows_kept(&self, context: &PassContext) -> Option<i64> {
        let kept = self.window?.saturating_add(context.options.kv_rows_kept);
        (kept as u64 <= self.tokens.saturating_sub(1)).then_some(kept)
    }
}

/// Arenas with their layers, in order of the first.
pub(super) fn arenas_of(caches: &[Cache], grouping: KvGrouping) -> Vec<(Shared, Vec<Layer>)> {
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
                let shape = (cache.slots, cache.tokens, cache.heads, cache.element.clone());
                (shape, cache.layers, cache.update.layer, cache.window, cache.bound.is_ok())
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
            home: first.mapped_in,
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
