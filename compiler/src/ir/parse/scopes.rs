//! Which values the text can name where.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::ir::ValueId;

/// The values of one name: the results of `%x:2` share one.
pub(super) type Values = SmallVec<[ValueId; 1]>;

/// Names by scope. A region sees the names around it unless it is isolated (a function's is).
pub(super) struct Scopes<'s> {
    levels: Vec<Level<'s>>,
}

#[derive(Default)]
struct Level<'s> {
    bindings: HashMap<&'s str, Binding>,
    /// Names of the open regions of this level, inner last, and how many were bound before each.
    bound: Vec<&'s str>,
    marks: Vec<usize>,
}

/// What a name stands for.
pub(super) struct Binding {
    /// Its values.
    pub values: Values,
    /// Where it was bound.
    pub offset: usize,
}

impl<'s> Scopes<'s> {
    pub(super) fn new() -> Scopes<'s> {
        Scopes { levels: vec![Level::default()] }
    }

    /// Enters a region that sees the names around it.
    pub(super) fn enter(&mut self) {
        let level = self.level();
        level.marks.push(level.bound.len());
    }

    /// Leaves the region entered last.
    pub(super) fn leave(&mut self) {
        let level = self.level();
        let mark = level.marks.pop().expect("a region should be entered before it is left");
        for name in level.bound.drain(mark..) {
            level.bindings.remove(name);
        }
    }

    /// Enters a region that sees no name around it.
    pub(super) fn enter_isolated(&mut self) {
        self.levels.push(Level::default());
    }

    /// Leaves the isolated region entered last.
    pub(super) fn leave_isolated(&mut self) {
        self.levels.pop();
    }

    /// What a name (with its `%`) stands for.
    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.levels.last().and_then(|level| level.bindings.get(name))
    }

    /// A name that stands for a value, its `%` included, for messages.
    pub(super) fn name_of(&self, value: ValueId) -> Option<String> {
        self.levels.last()?.bindings.iter().find_map(|(name, binding)| {
            let position = binding.values.iter().position(|bound| *bound == value)?;
            Some(if binding.values.len() > 1 { format!("{name}#{position}") } else { (*name).to_string() })
        })
    }

    /// Binds a name that is not bound.
    pub(super) fn bind(&mut self, name: &'s str, values: Values, offset: usize) {
        let level = self.level();
        level.bindings.insert(name, Binding { values, offset });
        level.bound.push(name);
    }

    fn level(&mut self) -> &mut Level<'s> {
        self.levels.last_mut().expect("there should always be a scope")
    }
}
