//! Prints a module as MLIR text, in the short forms that [`super::parse`] reads, or all generic for upstream's tools.
//!
//! What is printed reads back as the same module, and prints the same again. The user's names of values are kept, made
//! unique where passes copied them; values without a name are numbered.

mod attributes;
mod dense;
mod locations;
mod names;
mod operations;
mod types;

use std::sync::Arc;

use self::{names::Names, types::Extents};
use super::{
    Module, OpId, Type, ValueId,
    attribute::{AttrMap, Attribute},
    syntax::{floats::write_float, strings::write_escaped},
    types::FloatKind,
};

/// How to print.
#[derive(Debug, Clone, Default)]
pub struct PrintOptions {
    /// Every operation in generic form, for `mlir-opt --allow-unregistered-dialect`.
    pub generic: bool,
    /// With the location of each operation behind it.
    pub locations: bool,
    /// Leave out the elements of constants that have more than this many: for the eye, the text can't be read again.
    pub elide_elements_above: Option<u64>,
}

/// The text of a module.
pub fn print(module: &Module, options: &PrintOptions) -> String {
    let mut printer = Printer::new(module, options);
    printer.print_operation(module.root());
    printer.out
}

/// The text of one operation with everything in it, for messages and reports.
pub fn print_operation(module: &Module, op: OpId, options: &PrintOptions) -> String {
    let mut printer = Printer::new(module, options);
    printer.print_operation(op);
    printer.out
}

/// The state of one printing, with what short forms are printed with.
pub(crate) struct Printer<'m> {
    /// What is printed.
    pub module: &'m Module,
    options: PrintOptions,
    extents: Extents,
    out: String,
    indent: usize,
    names: Names,
    /// The dialect of the operation whose attributes are printed: enums are spelled with it.
    dialect: &'static str,
}

impl<'m> Printer<'m> {
    fn new(module: &'m Module, options: &PrintOptions) -> Printer<'m> {
        let names = Names::new(module.arena_sizes().1);
        let extents = if options.generic { Extents::Plain } else { Extents::Named };
        Printer { module, options: options.clone(), extents, out: String::new(), indent: 0, names, dialect: "builtin" }
    }

    /// Prints a text as it is.
    pub fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Begins a line at the current indentation.
    pub fn new_line(&mut self) {
        self.out.push('\n');
        self.begin_line();
    }

    fn begin_line(&mut self) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// `@name`
    pub fn symbol(&mut self, name: &str) {
        attributes::write_symbol(&mut self.out, name);
    }

    /// A type.
    pub fn ty(&mut self, ty: &Type) {
        types::write_type(&mut self.out, ty, self.extents);
    }

    /// Types separated by commas.
    pub fn types(&mut self, types: &[Type]) {
        types::write_types(&mut self.out, types, self.extents);
    }

    /// One type, or several in parentheses.
    pub fn result_types(&mut self, types: &[Type]) {
        types::write_result_types(&mut self.out, types, self.extents);
    }

    /// `(types) -> types`
    pub fn function_type(&mut self, inputs: &[Type], results: &[Type]) {
        types::write_function_type(&mut self.out, inputs, results, self.extents);
    }

    /// A number of type `f64` without its type.
    pub fn f64(&mut self, value: f64) {
        write_float(&mut self.out, value.to_bits(), FloatKind::F64);
    }

    /// `[1, 2]`
    pub fn i64_list(&mut self, values: &[i64]) {
        attributes::write_i64_list(&mut self.out, values);
    }

    /// An attribute.
    pub fn attribute(&mut self, attr: &Attribute) {
        let style = self.style();
        attributes::write_attribute(&mut self.out, attr, &style);
    }

    /// ` {…}` with the attributes that are not hidden, if there are any.
    pub fn attributes(&mut self, op: OpId, hidden: &[&str]) {
        self.attributes_after(" ", op, hidden);
    }

    /// ` attributes {…}` with the attributes that are not hidden, if there are any.
    pub fn attributes_keyword(&mut self, op: OpId, hidden: &[&str]) {
        self.attributes_after(" attributes ", op, hidden);
    }

    fn attributes_after(&mut self, before: &str, op: OpId, hidden: &[&str]) {
        let module = self.module;
        let shown = module.op(op).attrs.iter().filter(|(name, _)| !hidden.contains(&name.as_ref()));
        self.attribute_list(before, shown);
    }

    fn attribute_list<'a>(&mut self, before: &str, attrs: impl Iterator<Item = (&'a Arc<str>, &'a Attribute)>) {
        let mut separator = before;
        for (name, value) in attrs {
            self.text(separator);
            self.text(if separator == ", " { "" } else { "{" });
            separator = ", ";
            let style = self.style();
            attributes::write_named(&mut self.out, name, value, &style);
        }
        self.text(if separator == ", " { "}" } else { "" });
    }

    /// ` {…}` if there is a map.
    pub fn optional_dictionary(&mut self, attrs: Option<&AttrMap>) {
        if let Some(attrs) = attrs {
            self.text(" ");
            let style = self.style();
            attributes::write_dictionary(&mut self.out, attrs, &style);
        }
    }

    /// `%x`
    pub fn value(&mut self, value: ValueId) {
        self.names.write(&mut self.out, value);
    }

    /// Values separated by commas.
    pub fn values(&mut self, values: &[ValueId]) {
        for (position, value) in values.iter().enumerate() {
            self.text(if position > 0 { ", " } else { "" });
            self.value(*value);
        }
    }

    /// The operands of an operation, separated by commas.
    pub fn operands(&mut self, op: OpId) {
        let module = self.module;
        self.values(&module.op(op).operands);
    }

    /// Names the argument of a block and prints it as `%x: type`.
    pub fn argument(&mut self, argument: ValueId) {
        self.names.name_argument(self.module, argument);
        self.value(argument);
        self.text(": ");
        self.ty(self.module.ty(argument));
    }

    /// Names the arguments of a block.
    pub fn name_arguments(&mut self, arguments: &[ValueId]) {
        for argument in arguments {
            self.names.name_argument(self.module, *argument);
        }
    }

    /// Gives a value the name of another.
    pub fn share_name(&mut self, named: ValueId, other: ValueId) {
        self.names.share(named, other);
    }

    /// Begins a scope that sees the names around it.
    pub fn enter(&mut self) {
        self.names.enter();
    }

    /// Ends the scope begun last.
    pub fn leave(&mut self) {
        self.names.leave();
    }

    /// Begins a scope that sees no name around it.
    pub fn enter_isolated(&mut self) {
        self.names.enter_isolated();
    }

    /// Ends the isolated scope begun last.
    pub fn leave_isolated(&mut self) {
        self.names.leave_isolated();
    }

    fn style(&self) -> attributes::Style {
        let elide_elements_above = self.options.elide_elements_above;
        attributes::Style { dialect: self.dialect, extents: self.extents, elide_elements_above }
    }

    fn string(&mut self, text: &str) {
        write_escaped(&mut self.out, text);
    }
}

#[cfg(test)]
mod tests;
