//! Unique names for values.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::Arc,
};

use crate::ir::{Module, OpId, ValueId};

/// What a value is called.
#[derive(Clone, Default)]
struct Name {
    base: Base,
    /// `#1` behind it: its position among the results that share the name.
    member: Option<u32>,
}

#[derive(Clone, Default)]
enum Base {
    /// Not yet printed.
    #[default]
    Unset,
    /// `%7`
    Number(u32),
    /// `%x`
    Text(Arc<str>),
}

impl From<Base> for Name {
    fn from(base: Base) -> Name {
        Name { base, member: None }
    }
}

/// The names given so far, by scope.
pub(super) struct Names {
    of_value: Vec<Name>,
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    next_number: u32,
    next_argument: u32,
    used: HashSet<Arc<str>>,
    /// Where to go on looking for a free suffix.
    next_suffix: HashMap<Arc<str>, u32>,
    given: Vec<Arc<str>>,
    marks: Vec<usize>,
}

/// How an operation's results are named.
pub(super) enum ResultNames {
    /// `%x:2 =`, or `%x =`
    Shared,
    /// `%x, %y =`
    Separate,
}

impl Names {
    pub(super) fn new(value_count: usize) -> Names {
        Names { of_value: vec![Name::default(); value_count], levels: vec![Level::default()] }
    }

    pub(super) fn enter(&mut self) {
        let level = self.level();
        level.marks.push(level.given.len());
    }

    pub(super) fn leave(&mut self) {
        let level = self.level();
        let mark = level.marks.pop().expect("a scope should be entered before it is left");
        for name in level.given.drain(mark..) {
            level.used.remove(&name);
        }
        level.next_suffix.clear();
    }

    pub(super) fn enter_isolated(&mut self) {
        self.levels.push(Level::default());
    }

    pub(super) fn leave_isolated(&mut self) {
        self.levels.pop();
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("there should always be a scope")
    }

    /// Names the results of an operation.
    pub(super) fn name_results(&mut self, module: &Module, op: OpId) -> ResultNames {
        let results = &module.op(op).results;
        let user_name = |value: &ValueId| module.value(*value).name.as_deref();
        let Some(first) = results.first() else { return ResultNames::Shared };
        let base = user_name(first);
        let is_member = |(position, value): (usize, &ValueId)| match (base, user_name(value)) {
            (None, None) => true,
            (Some(base), Some(name)) => {
                name.strip_prefix(base).and_then(|rest| rest.strip_prefix('#')).and_then(|rest| rest.parse().ok())
                    == Some(position)
            }
            _ => false,
        };
        if !results.iter().enumerate().skip(1).all(is_member) {
            for value in results {
                self.name_value(module, *value);
            }
            return ResultNames::Separate;
        }
        self.name_value(module, *first);
        if results.len() > 1 {
            let base = self.of_value[first.index()].base.clone();
            for (position, value) in (0..).zip(results) {
                self.of_value[value.index()] = Name { base: base.clone(), member: Some(position) };
            }
        }
        ResultNames::Shared
    }

    /// Names an argument of a block.
    pub(super) fn name_argument(&mut self, module: &Module, argument: ValueId) {
        if module.value(argument).name.is_some() {
            return self.name_value(module, argument);
        }
        let level = self.level();
        let name = format!("arg{}", level.next_argument);
        level.next_argument += 1;
        let name = self.unique(&name);
        self.of_value[argument.index()] = Base::Text(name).into();
    }

    fn name_value(&mut self, module: &Module, value: ValueId) {
        let name = match module.value(value).name.as_deref().and_then(clean) {
            Some(name) => Base::Text(self.unique(&name)),
            None => {
                let level = self.level();
                level.next_number += 1;
                Base::Number(level.next_number - 1)
            }
        };
        self.of_value[value.index()] = name.into();
    }

    pub(super) fn share(&mut self, named: ValueId, other: ValueId) {
        self.of_value[other.index()] = self.of_value[named.index()].clone();
    }

    /// The name, or the name with the first suffix that is free.
    fn unique(&mut self, name: &str) -> Arc<str> {
        let level = self.level();
        let mut unique: Arc<str> = Arc::from(name);
        if level.used.contains(&unique) {
            let mut suffix = level.next_suffix.get(&unique).copied().unwrap_or(0);
            let base = unique.clone();
            while level.used.contains(&unique) {
                unique = Arc::from(format!("{base}_{suffix}"));
                suffix += 1;
            }
            level.next_suffix.insert(base, suffix);
        }
        level.used.insert(unique.clone());
        level.given.push(unique.clone());
        unique
    }

    /// Writes `%x` or `%x#1`; a value that was not printed before its use (which the verifier refuses) as `%unknown`.
    pub(super) fn write(&self, out: &mut String, value: ValueId) {
        self.write_base(out, value);
        if let Some(member) = self.of_value[value.index()].member {
            let _ = write!(out, "#{member}");
        }
    }

    /// Writes `%x`, also for a value that shares its name.
    pub(super) fn write_base(&self, out: &mut String, value: ValueId) {
        let _ = match &self.of_value[value.index()].base {
            Base::Unset => write!(out, "%unknown"),
            Base::Number(number) => write!(out, "%{number}"),
            Base::Text(text) => write!(out, "%{text}"),
        };
    }
}

/// A user's name as the text can have it: a pass may have copied one result of several, or made a name of its own.
fn clean(name: &str) -> Option<String> {
    let name = name.split('#').next().filter(|name| !name.is_empty())?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'-');
    let plain: String = name.chars().map(|c| if c.is_ascii() && is_plain(c as u8) { c } else { '_' }).collect();
    let needs_letter = plain.starts_with(|first: char| first.is_ascii_digit());
    // A dash at the end could run into an arrow.
    let plain = plain.trim_end_matches('-');
    Some(if needs_letter { format!("_{plain}") } else { plain.into() }).filter(|name| !name.is_empty())
}
