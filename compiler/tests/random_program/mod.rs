//! Random small programs, as text.

use std::fmt::Write;

/// A program with inputs.
#[derive(Debug)]
pub struct Program {
    /// Its text.
    pub text: String,
    /// The bytes of its arguments.
    pub inputs: Vec<Vec<u8>>,
    /// For every result, whether it is of a float type.
    pub results_are_float: Vec<bool>,
    /// Arguments that a result replaces in the next step, with the result.
    pub carried: Vec<(usize, usize)>,
}

/// Equal bytes; for floats, any NaN is any other.
pub fn agree(old: &[u8], new: &[u8], is_float: bool) -> bool {
    if !is_float {
        return old == new;
    }
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect()
    };
    let same = |(old, new): (&f32, &f32)| old.to_bits() == new.to_bits() || (old.is_nan() && new.is_nan());
    old.len() == new.len() && floats(old).iter().zip(&floats(new)).all(same)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    F32,
    I32,
    I1,
}

impl Element {
    fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::I32 => "i32",
            Element::I1 => "i1",
        }
    }
}

#[derive(Debug, Clone)]
struct Value {
    name: String,
    shape: Vec<u64>,
    element: Element,
}

impl Value {
    fn ty(&self) -> String {
        tensor(&self.shape, self.element)
    }
}

fn tensor(shape: &[u64], element: Element) -> String {
    let dims: String = shape.iter().map(|extent| format!("{extent}x")).collect();
    format!("tensor<{dims}{}>", element.name())
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

/// A program of about so many operations. The same seed gives the same program.
pub fn random_program(seed: u64, op_count: usize) -> Program {
    let mut maker = Maker { random: seed, lines: String::new(), values: Vec::new(), next: 0 };
    let mut inputs = Vec::new();
    let mut arguments = Vec::new();
    for at in 0..3 {
        let element = [Element::F32, Element::F32, Element::I32][at];
        let shape = maker.shape();
        let value = Value { name: format!("%arg{at}"), shape, element };
        arguments.push(value.clone());
        inputs.push(maker.bytes(&value));
        maker.values.push(value);
    }
    for _ in 0..op_count {
        maker.operation();
    }
    // The last values, so that most of what was made is read, and one early one.
    let mut results: Vec<Value> = maker.values.iter().rev().take(3).cloned().collect();
    results.push(maker.values[maker.values.len() / 2].clone());
    let mut carried: Vec<(usize, usize)> = Vec::new();
    let arguments: Vec<String> = arguments
        .into_iter()
        .enumerate()
        .map(|(at, argument)| {
            let is_free = |result: &usize| carried.iter().all(|(_, taken)| taken != result);
            let fits = |result: &usize| results[*result].ty() == argument.ty() && is_free(result);
            match (0..results.len()).find(fits) {
                Some(result) if maker.pick(4) > 0 => {
                    carried.push((at, result));
                    format!("{}: {} {{tf.aliasing_output = {result} : i32}}", argument.name, argument.ty())
                }
                _ => format!("{}: {}", argument.name, argument.ty()),
            }
        })
        .collect();
    let names: Vec<&str> = results.iter().map(|value| value.name.as_str()).collect();
    let types: Vec<String> = results.iter().map(Value::ty).collect();
    let text = format!(
        "func.func @main({}) -> ({}) {{\n{}  return {} : {}\n}}\n{CALLEE}",
        arguments.join(", "),
        types.join(", "),
        maker.lines,
        names.join(", "),
        types.join(", ")
    );
    let results_are_float = results.iter().map(|value| value.element == Element::F32).collect();
    Program { text, inputs, results_are_float, carried }
}

const CALLEE: &str = "func.func private @twice_less_one(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %c = stablehlo.constant dense<1.0> : tensor<2x2xf32>
  %0 = stablehlo.add %x, %x : tensor<2x2xf32>
  %1 = stablehlo.subtract %0, %c : tensor<2x2xf32>
  return %1, %x : tensor<2x2xf32>, tensor<2x2xf32>
}
";

struct Maker {
    random: u64,
    lines: String,
    values: Vec<Value>,
    next: usize,
}

impl Maker {
    /// The next of `count` numbers (splitmix64).
    fn pick(&mut self, count: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count.max(1) as u64) as usize
    }

    fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())]
    }

    fn shape(&mut self) -> Vec<u64> {
        let rank = self.choose(&[0, 1, 2, 2, 3]);
        (0..rank).map(|_| self.choose(&[1, 2, 2, 3, 4])).collect()
    }

    fn bytes(&mut self, value: &Value) -> Vec<u8> {
        let count: u64 = value.shape.iter().product();
        let mut bytes = Vec::new();
        for _ in 0..count {
            let number = self.choose(&[0.0, -0.0, 1.0, -1.5, 2.0, 3.25, f32::INFINITY, f32::NAN, -7.0, 1e-3]);
            match value.element {
                Element::F32 => bytes.extend(number.to_le_bytes()),
                Element::I32 => bytes.extend(self.choose(&[0, 1, -1, 5, i32::MIN, i32::MAX]).to_le_bytes()),
                Element::I1 => bytes.push(u8::from(number > 1.0)),
            }
        }
        bytes
    }

    /// A value there is, by preference a late one.
    fn any(&mut self) -> Value {
        let count = self.values.len();
        let back = self.pick(count).min(self.pick(count));
        self.values[count - 1 - back].clone()
    }

    fn any_of(&mut self, element: Element) -> Value {
        let of_kind: Vec<Value> = self.values.iter().filter(|value| value.element == element).cloned().collect();
        match of_kind.len() {
            0 => self.constant(&[2, 2], element),
            count => of_kind[self.pick(count)].clone(),
        }
    }

    /// Another value of that type; makes one if there is none.
    fn like(&mut self, value: &Value) -> Value {
        let alike: Vec<Value> = self
            .values
            .iter()
            .filter(|other| other.shape == value.shape && other.element == value.element)
            .cloned()
            .collect();
        match alike.len() {
            0 => self.constant(&value.shape, value.element),
            _ if self.pick(3) == 0 => self.constant(&value.shape, value.element),
            count => alike[self.pick(count)].clone(),
        }
    }

    fn emit(&mut self, shape: &[u64], element: Element, text: &str) -> Value {
        let value = Value { name: format!("%v{}", self.next), shape: shape.to_vec(), element };
        self.next += 1;
        let _ = writeln!(self.lines, "  {} = {text}", value.name);
        self.values.push(value.clone());
        value
    }

    fn constant(&mut self, shape: &[u64], element: Element) -> Value {
        let literal = match element {
            Element::F32 => self.choose(&["0.0", "-0.0", "1.0", "-1.0", "2.0", "0.5", "-3.5"]),
            Element::I32 => self.choose(&["0", "1", "-1", "2", "7"]),
            Element::I1 => self.choose(&["true", "false"]),
        };
        let text = format!("stablehlo.constant dense<{literal}> : {}", tensor(shape, element));
        self.emit(shape, element, &text)
    }

    fn operation(&mut self) {
        match self.pick(21) {
            0..=3 => self.binary(),
            4 | 5 => self.unary(),
            6 => self.compare(),
            7 => self.select(),
            8 => self.convert(),
            9 => self.broadcast(),
            10 => self.reshape(),
            11 | 12 => self.transpose(),
            13 => self.slice(),
            14 => self.pad(),
            15 => self.reduce(),
            16 => self.control(),
            17 => self.other(),
            18 => self.dot(),
            19 => self.attention(),
            _ => self.dynamic_slice(),
        }
    }

    fn binary(&mut self) {
        let left = self.any();
        let right = self.like(&left);
        let name = match left.element {
            Element::F32 => self.choose(&["add", "subtract", "multiply", "maximum", "minimum", "divide"]),
            Element::I32 => self.choose(&["add", "subtract", "multiply", "maximum", "minimum", "and", "or", "xor"]),
            Element::I1 => self.choose(&["and", "or", "xor"]),
        };
        let text = format!("stablehlo.{name} {}, {} : {}", left.name, right.name, left.ty());
        self.emit(&left.shape, left.element, &text);
    }

    fn unary(&mut self) {
        let value = self.any();
        let name = match value.element {
            Element::F32 => self.choose(&["negate", "abs", "floor", "ceil", "sign", "exponential"]),
            Element::I32 => self.choose(&["negate", "abs", "not"]),
            Element::I1 => "not",
        };
        let text = format!("stablehlo.{name} {} : {}", value.name, value.ty());
        self.emit(&value.shape, value.element, &text);
    }

    fn compare(&mut self) {
        let element = self.choose(&[Element::F32, Element::I32]);
        let left = self.any_of(element);
        let right = if self.pick(4) == 0 { left.clone() } else { self.like(&left) };
        let direction = self.choose(&["EQ", "NE", "LT", "LE", "GT", "GE"]);
        let ty = left.ty();
        let result = tensor(&left.shape, Element::I1);
        let text = format!("stablehlo.compare {direction}, {}, {} : ({ty}, {ty}) -> {result}", left.name, right.name);
        self.emit(&left.shape, Element::I1, &text);
    }

    fn select(&mut self) {
        let left = self.any();
        let right = self.like(&left);
        let predicate = Value { name: String::new(), shape: left.shape.clone(), element: Element::I1 };
        let predicate = self.like(&predicate);
        let (pred_ty, ty) = (predicate.ty(), left.ty());
        let text = format!("stablehlo.select {}, {}, {} : {pred_ty}, {ty}", predicate.name, left.name, right.name);
        self.emit(&left.shape, left.element, &text);
    }

    fn convert(&mut self) {
        let value = self.any();
        let element = self.choose(&[Element::F32, Element::I32]);
        let text = format!("stablehlo.convert {} : ({}) -> {}", value.name, value.ty(), tensor(&value.shape, element));
        self.emit(&value.shape, element, &text);
    }

    fn broadcast(&mut self) {
        let value = self.any();
        if value.shape.len() > 2 {
            return;
        }
        // The value's dimensions keep their order among new ones.
        let at = self.pick(value.shape.len() + 1);
        let mut shape = value.shape.clone();
        let extent = self.choose(&[1, 2, 3]);
        shape.insert(at, extent);
        let dims: Vec<usize> = (0..shape.len()).filter(|dim| *dim != at).collect();
        for (dim, extent) in dims.iter().zip(&value.shape) {
            if *extent == 1 {
                shape[*dim] = self.choose(&[1, 2]);
            }
        }
        let result = tensor(&shape, value.element);
        let text =
            format!("stablehlo.broadcast_in_dim {}, dims = {} : ({}) -> {result}", value.name, list(&dims), value.ty());
        self.emit(&shape, value.element, &text);
    }

    fn reshape(&mut self) {
        let value = self.any();
        let count: u64 = value.shape.iter().product();
        let shapes = [vec![count], vec![1, count], vec![count, 1], value.shape.clone()];
        let shape = shapes[self.pick(shapes.len())].clone();
        let text = format!("stablehlo.reshape {} : ({}) -> {}", value.name, value.ty(), tensor(&shape, value.element));
        self.emit(&shape, value.element, &text);
    }

    fn transpose(&mut self) {
        let value = self.any();
        let mut permutation: Vec<usize> = (0..value.shape.len()).collect();
        for at in (1..permutation.len()).rev() {
            let other = self.pick(at + 1);
            permutation.swap(at, other);
        }
        let shape: Vec<u64> = permutation.iter().map(|dim| value.shape[*dim]).collect();
        let result = tensor(&shape, value.element);
        let text =
            format!("stablehlo.transpose {}, dims = {} : ({}) -> {result}", value.name, list(&permutation), value.ty());
        self.emit(&shape, value.element, &text);
    }

    fn slice(&mut self) {
        let value = self.any();
        let (mut parts, mut shape) = (Vec::new(), Vec::new());
        for extent in &value.shape {
            let start = self.pick(*extent as usize) as u64;
            let limit = start + 1 + self.pick((extent - start) as usize) as u64;
            let stride = self.choose(&[1, 1, 2]);
            parts.push(format!("{start}:{limit}:{stride}"));
            shape.push((limit - start).div_ceil(stride));
        }
        let result = tensor(&shape, value.element);
        let text = format!("stablehlo.slice {} {} : ({}) -> {result}", value.name, list(&parts), value.ty());
        self.emit(&shape, value.element, &text);
    }

    fn pad(&mut self) {
        let value = self.any();
        let filler = self.constant(&[], value.element);
        let rank = value.shape.len();
        let low: Vec<usize> = (0..rank).map(|_| self.choose(&[0, 0, 1])).collect();
        let high: Vec<usize> = (0..rank).map(|_| self.choose(&[0, 0, 2])).collect();
        let interior: Vec<usize> = (0..rank).map(|_| self.choose(&[0, 0, 1])).collect();
        let mut shape = Vec::new();
        for dim in 0..rank {
            let inner = (value.shape[dim] - 1) * interior[dim] as u64;
            shape.push(value.shape[dim] + inner + (low[dim] + high[dim]) as u64);
        }
        if shape.iter().product::<u64>() > 256 {
            return;
        }
        let result = tensor(&shape, value.element);
        let (amounts, types) =
            (format!("low = {}, high = {}, interior = {}", list(&low), list(&high), list(&interior)), value.ty());
        let text = format!(
            "stablehlo.pad {}, {}, {amounts} : ({types}, {}) -> {result}",
            value.name,
            filler.name,
            filler.ty()
        );
        self.emit(&shape, value.element, &text);
    }

    fn reduce(&mut self) {
        let value = self.any();
        if value.shape.is_empty() {
            return;
        }
        let init = self.constant(&[], value.element);
        let dim = self.pick(value.shape.len());
        let name = match value.element {
            Element::F32 => self.choose(&["add", "maximum"]),
            Element::I32 => self.choose(&["add", "maximum", "and"]),
            Element::I1 => self.choose(&["and", "or"]),
        };
        let mut shape = value.shape.clone();
        shape.remove(dim);
        let result = tensor(&shape, value.element);
        let text = format!(
            "stablehlo.reduce({} init: {}) applies stablehlo.{name} across dimensions = [{dim}] : ({}, {}) -> {result}",
            value.name,
            init.name,
            value.ty(),
            init.ty()
        );
        self.emit(&shape, value.element, &text);
    }

    /// A product of a matrix with another, on either dimension.
    fn dot(&mut self) {
        let value = self.any_of(Element::F32);
        if value.shape.len() != 2 {
            return;
        }
        let (left, right) = (self.pick(2), self.pick(2));
        let other_extent = self.choose(&[1, 2, 3]);
        let mut shape = vec![other_extent; 2];
        shape[right] = value.shape[left];
        let other = Value { name: String::new(), shape, element: Element::F32 };
        let other = self.like(&other);
        let result = [value.shape[1 - left], other_extent];
        let text = format!(
            "stablehlo.dot_general {}, {}, contracting_dims = [{left}] x [{right}] : ({}, {}) -> {}",
            value.name,
            other.name,
            value.ty(),
            other.ty(),
            tensor(&result, Element::F32)
        );
        self.emit(&result, Element::F32, &text);
    }

    /// Attention whose queries, keys and values are parts of one product's rows, where heads begin or within them, as they lie or turned round.
    fn attention(&mut self) {
        let value = self.any_of(Element::F32);
        let [tokens, terms] = value.shape[..] else { return };
        let (heads, features) = (self.choose(&[1, 2]), self.choose(&[1, 2, 3, 4]));
        let row = heads * features;
        let of = Value { name: String::new(), shape: vec![terms, 3 * row], element: Element::F32 };
        let other = self.like(&of);
        let shape = [tokens, 3 * row];
        let (ty, result) = (value.ty(), tensor(&shape, Element::F32));
        let text = format!(
            "stablehlo.dot_general {}, {}, contracting_dims = [1] x [0] : ({ty}, {}) -> {result}",
            value.name,
            other.name,
            other.ty()
        );
        let product = self.emit(&shape, Element::F32, &text);
        let parts: Vec<(Value, &str)> = (0..3).map(|_| self.part_for_attention(&product, heads, features)).collect();
        let names: Vec<&str> = parts.iter().map(|(part, _)| part.name.as_str()).collect();
        let types: Vec<String> = parts.iter().map(|(part, _)| part.ty()).collect();
        let [q, k, v] = [0, 1, 2].map(|operand: usize| parts[operand].1);
        let shape = [1, tokens, heads, features];
        let text = format!(
            "\"pyg.attention\"({}) {{k_dims = array<i64: {k}>, key_type = f32, logit_type = f32, \
             operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, \
             probability_type = f32, q_dims = array<i64: {q}>, score_type = f32, softmax_type = f32, \
             v_dims = array<i64: {v}>, value_type = f32}} : ({}) -> {}",
            names.join(", "),
            types.join(", "),
            tensor(&shape, Element::F32)
        );
        self.emit(&shape, Element::F32, &text);
    }

    /// Some columns of a matrix as heads of rows, and which of its dimensions are batch, token, head and feature.
    fn part_for_attention(&mut self, matrix: &Value, heads: u64, features: u64) -> (Value, &'static str) {
        let (tokens, row) = (matrix.shape[0], heads * features);
        let first = self.choose(&[0, row, 2 * row, row + 1, features]).min(matrix.shape[1] - row);
        let text = format!(
            "stablehlo.slice {} [0:{tokens}, {first}:{}] : ({}) -> {}",
            matrix.name,
            first + row,
            matrix.ty(),
            tensor(&[tokens, row], Element::F32)
        );
        let part = self.emit(&[tokens, row], Element::F32, &text);
        let shape = [1, tokens, heads, features];
        let text = format!("stablehlo.reshape {} : ({}) -> {}", part.name, part.ty(), tensor(&shape, Element::F32));
        let part = self.emit(&shape, Element::F32, &text);
        if self.pick(2) == 0 {
            return (part, "0, 1, 2, 3");
        }
        let shape = [1, heads, tokens, features];
        let ty = tensor(&shape, Element::F32);
        let text = format!("stablehlo.transpose {}, dims = [0, 2, 1, 3] : ({}) -> {ty}", part.name, part.ty());
        (self.emit(&shape, Element::F32, &text), "0, 2, 1, 3")
    }

    fn dynamic_slice(&mut self) {
        let value = self.any();
        if value.shape.is_empty() {
            return;
        }
        let indices: Vec<Value> = value.shape.iter().map(|_| self.constant(&[], Element::I32)).collect();
        let shape: Vec<u64> = value.shape.iter().map(|extent| 1 + self.pick(*extent as usize) as u64).collect();
        let names: Vec<&str> = indices.iter().map(|index| index.name.as_str()).collect();
        let types = vec!["tensor<i32>"; indices.len()].join(", ");
        let text = format!(
            "stablehlo.dynamic_slice {}, {}, sizes = {} : ({}, {types}) -> {}",
            value.name,
            names.join(", "),
            list(&shape),
            value.ty(),
            tensor(&shape, value.element)
        );
        self.emit(&shape, value.element, &text);
    }

    fn control(&mut self) {
        if self.pick(2) == 0 { self.branch() } else { self.counted_loop() }
    }

    fn branch(&mut self) {
        let left = self.any();
        let right = self.like(&left);
        let predicate = self.like(&Value { name: String::new(), shape: Vec::new(), element: Element::I1 });
        let ty = left.ty();
        let text = format!(
            "\"stablehlo.if\"({}) ({{\n    stablehlo.return {} : {ty}\n  }}, {{\n    stablehlo.return {} : {ty}\n  }}) : (tensor<i1>) -> {ty}",
            predicate.name, left.name, right.name
        );
        self.emit(&left.shape, left.element, &text);
    }

    /// Adds a value to itself a few times, and carries something for nobody.
    fn counted_loop(&mut self) {
        let value = self.any_of(Element::F32);
        let idle = self.any();
        let zero = self.emit(&[], Element::I32, "stablehlo.constant dense<0> : tensor<i32>");
        let times = self.pick(4);
        let (ty, idle_ty) = (value.ty(), idle.ty());
        let name = format!("%v{}", self.next);
        self.next += 1;
        let _ = write!(
            self.lines,
            "  {name}:3 = stablehlo.while(%i = {}, %x = {}, %y = {}) : tensor<i32>, {ty}, {idle_ty}
    cond {{
      %limit = stablehlo.constant dense<{times}> : tensor<i32>
      %more = stablehlo.compare LT, %i, %limit : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %more : tensor<i1>
    }} do {{
      %one = stablehlo.constant dense<1> : tensor<i32>
      %next = stablehlo.add %i, %one : tensor<i32>
      %sum = stablehlo.add %x, {} : {ty}
      stablehlo.return %next, %sum, %y : tensor<i32>, {ty}, {idle_ty}
    }}
",
            zero.name, value.name, idle.name, value.name
        );
        self.values.push(Value { name: format!("{name}#1"), ..value });
        if self.pick(2) == 0 {
            self.values.push(Value { name: format!("{name}#2"), ..idle });
        }
    }

    fn other(&mut self) {
        let value = self.any();
        match self.pick(3) {
            0 if !value.shape.is_empty() => {
                let dim = self.pick(value.shape.len());
                let text = format!("stablehlo.reverse {}, dims = [{dim}] : {}", value.name, value.ty());
                self.emit(&value.shape, value.element, &text);
            }
            1 if !value.shape.is_empty() => {
                let other = self.like(&value);
                let mut shape = value.shape.clone();
                shape[0] *= 2;
                let result = tensor(&shape, value.element);
                let ty = value.ty();
                let text =
                    format!("stablehlo.concatenate {}, {}, dim = 0 : ({ty}, {ty}) -> {result}", value.name, other.name);
                self.emit(&shape, value.element, &text);
            }
            _ => {
                let operand = self.like(&Value { name: String::new(), shape: vec![2, 2], element: Element::F32 });
                let ty = operand.ty();
                let name = format!("%v{}", self.next);
                self.next += 1;
                let _ = writeln!(
                    self.lines,
                    "  {name}:2 = call @twice_less_one({}) : ({ty}) -> ({ty}, {ty})",
                    operand.name
                );
                self.values.push(Value { name: format!("{name}#0"), ..operand.clone() });
                self.values.push(Value { name: format!("{name}#1"), ..operand });
            }
        }
    }
}
