//! Operations and regions as text.

use super::{Printer, locations::write_location, names::ResultNames};
use crate::ir::{
    Attribute, BlockId, OpId, Opcode, RegionId, Type,
    parse::is_isolated,
    syntax::{
        symbols::{DIMS, symbol_text, symbols_of},
        syntax_of,
    },
};

impl Printer<'_> {
    /// One operation with its results and its location, on lines of its own.
    pub(super) fn print_operation(&mut self, op: OpId) {
        self.begin_line();
        self.print_results(op);
        let dialect = self.module.op(op).opcode.name().split_once('.').map_or("builtin", |parts| parts.0);
        let outer = std::mem::replace(&mut self.dialect, dialect);
        let start = self.out.len();
        let short = if self.options.generic { None } else { syntax_of(self.module.op(op).opcode) };
        if short.and_then(|syntax| (syntax.print)(self, op)).is_none() {
            self.out.truncate(start);
            self.dialect = dialect;
            self.print_generic(op);
        }
        self.dialect = outer;
        if self.options.locations {
            self.text(" ");
            write_location(&mut self.out, self.module.location(self.module.op(op).loc));
        }
        self.text("\n");
    }

    fn print_results(&mut self, op: OpId) {
        let results = self.module.op(op).results.clone();
        let Some(first) = results.first() else { return };
        match self.names.name_results(self.module, op) {
            ResultNames::Shared => {
                self.names.write_base(&mut self.out, *first);
                if results.len() > 1 {
                    self.text(&format!(":{}", results.len()));
                }
            }
            ResultNames::Separate => self.values(&results),
        }
        self.text(" = ");
    }

    /// The name of an operation in its short form.
    pub fn name(&mut self, op: OpId) {
        let operation = self.module.op(op);
        let in_function =
            self.module.parent_op(op).map(|parent| self.module.op(parent).opcode) == Some(Opcode::FuncFunc);
        self.text(match operation.opcode {
            Opcode::FuncReturn if in_function => "return",
            Opcode::FuncCall if in_function => "call",
            opcode => opcode.name(),
        });
    }

    fn print_generic(&mut self, op: OpId) {
        let module = self.module;
        let operation = module.op(op);
        self.string(operation.opcode.name());
        self.text("(");
        self.values(&operation.operands);
        self.text(")");
        if !operation.regions.is_empty() {
            self.text(" (");
            for (position, region) in operation.regions.iter().enumerate() {
                self.text(if position > 0 { ", " } else { "" });
                if is_isolated(operation.opcode) {
                    self.enter_isolated();
                    self.region(*region);
                    self.leave_isolated();
                } else {
                    self.region(*region);
                }
            }
            self.text(")");
        }
        self.generic_attributes(op);
        self.text(" : ");
        let types = |values: &[crate::ir::ValueId]| -> Vec<Type> {
            values.iter().map(|value| module.ty(*value).clone()).collect()
        };
        self.function_type(&types(&operation.operands), &types(&operation.results));
    }

    /// The attributes, with the names of unknown extents where types don't carry them.
    fn generic_attributes(&mut self, op: OpId) {
        let module = self.module;
        let operation = module.op(op);
        let results: Vec<Type> = operation.results.iter().map(|result| module.ty(*result).clone()).collect();
        let symbols = symbols_of(module, &results, &operation.regions, &operation.attrs);
        if !self.options.generic || symbols.is_empty() {
            return self.attributes(op, &[]);
        }
        let mut attrs = operation.attrs.clone();
        let names = symbols.iter().map(|symbol| Attribute::string(&symbol_text(symbol))).collect();
        attrs.set(DIMS, Attribute::Array(names));
        self.attribute_list(" ", attrs.iter());
    }

    /// `{…}`; the block's arguments stand in a header of its own.
    pub fn region(&mut self, region: RegionId) {
        self.braced(region, |printer, block, is_only_block| {
            let arguments = &printer.module.block(block).arguments;
            let is_empty = printer.module.block(block).first().is_none();
            if arguments.is_empty() && is_only_block && !is_empty {
                return;
            }
            printer.indent -= 1;
            printer.begin_line();
            printer.indent += 1;
            printer.text("^bb0");
            if !arguments.is_empty() {
                printer.text("(");
                for (position, argument) in arguments.iter().enumerate() {
                    printer.text(if position > 0 { ", " } else { "" });
                    printer.argument(*argument);
                }
                printer.text(")");
            }
            printer.text(":\n");
        });
    }

    /// `{…}`; the block's arguments are named where the short form of the operation has them.
    pub fn region_without_header(&mut self, region: RegionId) {
        self.braced(region, |_, _, _| {});
    }

    fn braced(&mut self, region: RegionId, header: impl Fn(&mut Self, BlockId, bool)) {
        self.text("{\n");
        self.indent += 1;
        self.enter();
        let blocks = self.module.region(region).blocks.clone();
        for block in &blocks {
            header(self, *block, blocks.len() == 1);
            let mut next = self.module.block(*block).first();
            while let Some(op) = next {
                self.print_operation(op);
                next = self.module.op(op).next();
            }
        }
        self.leave();
        self.indent -= 1;
        self.begin_line();
        self.text("}");
    }
}
