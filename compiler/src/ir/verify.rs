//! Checks a module and reports everything that is wrong with it, in order of location.
//!
//! What passes may rely on:
//!
//! 1. Every region has at most one block, and only a declaration's has none.
//! 2. Every block ends in the terminator that its operation asks for, and no terminator stands elsewhere.
//! 3. Every operand is defined before it is read, in the same block or in one around it, and not outside of a function
//!    or of a scalar body.
//! 4. Operands, results and regions are as many as the table says, and of the types that it says.
//! 5. Attributes that the table requires are there, each is of its kind, and one without a dialect's prefix is in the
//!    table.
//! 6. What the operation's own rules in the table say holds: shapes, ranges, bodies. A dimension that is not known fits
//!    any within its bounds.
//! 7. Symbols are unique, those that are named exist, calls fit the function's type, and no function calls itself, not
//!    even through others.
//! 8. A function's type is that of its arguments and of what it returns.
//! 9. Bindings are of a known class, and a result that replaces an argument exists, has its type and replaces no other.
//! 10. Scalar bodies hold scalar operations only, and scalar operations stand nowhere else; they name dimensions of
//!     the launch around them.

mod functions;
mod scope;
mod symbols;
mod table;

use super::{Definition, Module, OpId, ValueId};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Checks a module. The error holds everything that is wrong, in order of location.
pub fn verify(module: &Module) -> Result<(), Diagnostics> {
    let mut found = Vec::new();
    scope::check(module, &mut found);
    for op in module.walk(module.root()) {
        table::check(module, op, &mut found);
    }
    symbols::check(module, &mut found);
    for function in module.functions() {
        functions::check(module, function, &mut found);
    }
    if found.is_empty() {
        return Ok(());
    }
    found.sort_by_key(|diagnostic| (diagnostic.position.line, diagnostic.position.column));
    found.dedup();
    Err(Diagnostics(found))
}

/// What messages call a value: the user's name for it where there is one.
fn value_name(module: &Module, value: ValueId) -> String {
    let known = module.value(value);
    match (&known.name, known.definition) {
        (Some(name), _) => format!("%{name}"),
        (None, Definition::Result { index, .. }) => format!("result {index} of another operation"),
        (None, Definition::Argument { index, .. }) => format!("block argument {index}"),
    }
}

/// Collects errors at an operation.
struct Report<'a> {
    module: &'a Module,
    op: OpId,
    found: &'a mut Vec<Diagnostic>,
}

impl Report<'_> {
    fn error(&mut self, message: impl Into<String>) {
        self.found.push(self.module.error(self.op, message));
    }
}
