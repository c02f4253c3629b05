//! Where the positions of an update come from, and how they are spread over rows.

use std::collections::BTreeSet;

use pygraph_artifact::plan::{Bind, Spread};

use super::{Obstacle, update::Update};
use crate::{
    ir::{AttrMap, BlockId, Module, ValueId},
    passes::{build::static_tensor, positions::Position, signature::text},
};

/// Where positions come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// The value, an argument of the block in which rows are written.
    pub root: ValueId,
    /// How it is spread over rows.
    pub spread: Spread,
    /// The function's argument that it is, or that a loop starts with.
    pub argument: Option<usize>,
}

/// Where the positions of an update come from: an argument, or nowhere if they are known.
pub(super) fn source_of(
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
