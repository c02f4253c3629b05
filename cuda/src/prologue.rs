//! Elementwise work before a kernel, done where that would load: an element of its operand is computed when it is asked
//! for, so what is read from memory is what the loop nest reads (a weight of eight bits, say), and the operand lies nowhere.
//!
//! In the skeleton an input is something with `operator[]`, `operator+` and `operator*`. Without a prologue it is a pointer; with one a struct
//! `Prologue` with the input's number, of the nest's arrays.

use std::fmt::Write as _;

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, Nest, Program};

use crate::{
    arrays::Arrays,
    nest::{NestText, Source, index_type, line},
};

/// The work that makes one input, and what it reads.
#[derive(Debug)]
pub struct Prologue {
    input: usize,
    arrays: Arrays,
    text: String,
}

impl Prologue {
    /// The prologue of input number `input`, which is operand `made` of the launch; none if no nest makes that.
    pub fn of(program: &Program, fused: &Fused, input: usize, made: BufferId) -> Option<Prologue> {
        let nest = fused.prologue.iter().find(|nest| nest.outputs[0].buffer == made)?;
        let arrays = Arrays::of(program, fused, nest.inputs.iter())?;
        let array = |access: &Access| match fused.operands[access.buffer.0 as usize] {
            FusedOperand::Buffer(buffer) => arrays.source(buffer),
            FusedOperand::Temporary { .. } => Source::Value("made".to_string()),
        };
        let text = text_of(nest, input, &arrays, &array);
        Some(Prologue { input, arrays, text })
    }

    /// A nest of the program that makes input number `input`, once more.
    pub fn remade(program: &Program, nest: &Nest, input: usize) -> Prologue {
        let arrays = Arrays::of_buffers(program, nest.inputs.iter().map(|access| access.buffer));
        let made = nest.outputs[0].buffer;
        let array = |access: &Access| match access.buffer {
            buffer if buffer == made => Source::Value("made".to_string()),
            buffer => arrays.source(buffer),
        };
        let text = text_of(nest, input, &arrays, &array);
        Prologue { input, arrays, text }
    }

    /// Which input it makes.
    pub fn input(&self) -> usize {
        self.input
    }

    /// The struct, to stand before the skeleton.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What its kernels take for it.
    pub fn arrays(&self) -> &Arrays {
        &self.arrays
    }
}

/// A prologue fills its result in order, so an element's number is that of the nest's point.
fn text_of(nest: &Nest, input: usize, arrays: &Arrays, array: &dyn Fn(&Access) -> Source) -> String {
    let text = NestText::new(nest, "e", array);
    let (name, index) = (format!("Prologue{input}"), index_type(std::slice::from_ref(nest)));
    let mut code = format!("struct {name} {{\ni64 first;\n{}", arrays.fields());
    line!(code, "inline In{input} operator[](i64 element) const {{\ntypedef {index} index;\nIn{input} made;");
    code.push_str(&text.split("first + element", 0..nest.extents.len()));
    code.push_str(&text.one_point());
    line!(code, "return made;\n}}\ninline In{input} operator*() const {{ return (*this)[0]; }}");
    line!(code, "inline {name} operator+(i64 elements) const {{\n{name} moved = *this;\nmoved.first += elements;");
    line!(code, "return moved;\n}}\n}};");
    code
}
