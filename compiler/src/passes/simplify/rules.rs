//! The rules.
//!
//! Not allowed here: anything that rounds more often or otherwise, that changes the sign of a zero, or that loses a NaN or
//! an infinity in floats. So no reassociation, no `x * 0 => 0`, no `x - x => 0`, no `exp(log x) => x`; integers wrap and
//! may all be rewritten, but under a condition that keeps floats out.

use egg::{Id, Subst, Var, rewrite as rw};
use pygraph_artifact::dtype::Family;

use super::{
    graph::{Graph, Node, Tables, add_op, constant_in, constant_node, ty_of},
    movement,
};
use crate::ir::{AttrMap, Opcode, attribute::DenseElements};

/// A rule that egg matches.
pub type Rewrite = egg::Rewrite<Node, Tables>;

/// A rule that looks at one node and what its operands are made of, since its pattern would hold for many operations.
pub struct Native {
    /// Its name.
    pub name: &'static str,
    /// Which nodes it looks at.
    pub looks_at: fn(Opcode) -> bool,
    /// The class of an equal expression.
    pub apply: fn(&mut Graph, &Node) -> Option<Id>,
}

/// Rules about how elements move; see [`movement`].
pub static NATIVE: &[Native] = &[
    Native { name: "transpose-identity", looks_at: is(Opcode::StablehloTranspose), apply: movement::transpose_identity },
    Native { name: "reshape-identity", looks_at: is(Opcode::StablehloReshape), apply: movement::same_type },
    Native { name: "convert-identity", looks_at: is(Opcode::StablehloConvert), apply: movement::same_type },
    Native { name: "transpose-twice", looks_at: is(Opcode::StablehloTranspose), apply: movement::transpose_twice },
    Native { name: "reshape-twice", looks_at: is(Opcode::StablehloReshape), apply: movement::reshape_twice },
    Native { name: "broadcast-twice", looks_at: is(Opcode::StablehloBroadcastInDim), apply: movement::broadcast_twice },
    Native { name: "elementwise-of-broadcasts", looks_at: elementwise, apply: movement::after_broadcast },
    Native { name: "elementwise-of-transposes", looks_at: elementwise, apply: movement::after_transpose },
    Native { name: "elementwise-of-reshapes", looks_at: elementwise, apply: movement::after_reshape },
    Native { name: "dot-of-transposed-lhs", looks_at: is(Opcode::StablehloDotGeneral), apply: movement::dot_of_transposed_lhs },
    Native { name: "dot-of-transposed-rhs", looks_at: is(Opcode::StablehloDotGeneral), apply: movement::dot_of_transposed_rhs },
];

fn elementwise(opcode: Opcode) -> bool {
    opcode.def().is_elementwise()
}

macro_rules! is_functions {
    ($($opcode:ident),*) => {
        const fn is(opcode: Opcode) -> fn(Opcode) -> bool {
            match opcode {
                $(Opcode::$opcode => |other| matches!(other, Opcode::$opcode),)*
                _ => panic!("no rule looks at this operation"),
            }
        }
    };
}

is_functions!(StablehloTranspose, StablehloReshape, StablehloConvert, StablehloBroadcastInDim, StablehloDotGeneral);

/// All rules that egg matches, simplest first.
pub fn rewrites() -> Vec<Rewrite> {
    [identities(), absorptions(), signs(), integers(), orders()].into_iter().flatten().collect()
}

/// Rules that delete an operation. The right side is never larger than the left.
fn identities() -> Vec<Rewrite> {
    vec![
        rw!("add-nothing"; "(add ?x ?c)" => "?x" if splat("?c", adds_nothing)),
        rw!("subtract-nothing"; "(subtract ?x ?c)" => "?x" if splat("?c", subtracts_nothing)),
        rw!("multiply-one"; "(multiply ?x ?c)" => "?x" if splat("?c", is_one)),
        rw!("divide-by-one"; "(divide ?x ?c)" => "?x" if splat("?c", is_one)),
        rw!("power-one"; "(power ?x ?c)" => "?x" if splat("?c", is_one)),
        rw!("negate-twice"; "(negate (negate ?x))" => "?x"),
        rw!("not-twice"; "(not (not ?x))" => "?x"),
        rw!("and-all-ones"; "(and ?x ?c)" => "?x" if splat("?c", is_all_ones)),
        rw!("or-zero"; "(or ?x ?c)" => "?x" if splat("?c", is_integer_zero)),
        rw!("xor-zero"; "(xor ?x ?c)" => "?x" if splat("?c", is_integer_zero)),
        rw!("shift-left-zero"; "(shift_left ?x ?c)" => "?x" if splat("?c", is_integer_zero)),
        rw!("shift-right-logical-zero"; "(shift_right_logical ?x ?c)" => "?x" if splat("?c", is_integer_zero)),
        rw!("shift-right-arithmetic-zero"; "(shift_right_arithmetic ?x ?c)" => "?x" if splat("?c", is_integer_zero)),
        rw!("select-of-truths"; "(select ?p ?t ?f)" => "?p" if both("?t", is_all_ones, "?f", is_integer_zero, "?p")),
    ]
}

/// Rules where an operand swallows the other, or the operation does nothing a second time.
fn absorptions() -> Vec<Rewrite> {
    vec![
        rw!("and-same"; "(and ?x ?x)" => "?x"),
        rw!("or-same"; "(or ?x ?x)" => "?x"),
        rw!("maximum-same"; "(maximum ?x ?x)" => "?x"),
        rw!("minimum-same"; "(minimum ?x ?x)" => "?x"),
        rw!("maximum-twice"; "(maximum (maximum ?x ?y) ?y)" => "(maximum ?x ?y)"),
        rw!("minimum-twice"; "(minimum (minimum ?x ?y) ?y)" => "(minimum ?x ?y)"),
        rw!("and-zero"; "(and ?x ?c)" => "?c" if splat("?c", is_integer_zero)),
        rw!("or-all-ones"; "(or ?x ?c)" => "?c" if splat("?c", is_all_ones)),
        rw!("abs-twice"; "(abs (abs ?x))" => "(abs ?x)" if real("?x")),
        rw!("abs-negate"; "(abs (negate ?x))" => "(abs ?x)" if real("?x")),
        rw!("floor-twice"; "(floor (floor ?x))" => "(floor ?x)"),
        rw!("ceil-twice"; "(ceil (ceil ?x))" => "(ceil ?x)"),
        rw!("round-even-twice"; "(round_nearest_even (round_nearest_even ?x))" => "(round_nearest_even ?x)"),
        rw!("round-away-twice"; "(round_nearest_afz (round_nearest_afz ?x))" => "(round_nearest_afz ?x)"),
        rw!("sign-twice"; "(sign (sign ?x))" => "(sign ?x)" if real("?x")),
    ]
}

/// Rules that move a minus sign, which never rounds.
fn signs() -> Vec<Rewrite> {
    vec![
        rw!("add-negated"; "(add ?x (negate ?y))" => "(subtract ?x ?y)"),
        rw!("subtract-negated"; "(subtract ?x (negate ?y))" => "(add ?x ?y)"),
        rw!("multiply-negated"; "(multiply (negate ?x) (negate ?y))" => "(multiply ?x ?y)" if real("?x")),
        rw!("divide-negated"; "(divide (negate ?x) (negate ?y))" => "(divide ?x ?y)" if float("?x")),
        rw!("multiply-minus-one"; "(multiply ?x ?c)" => "(negate ?x)" if splat("?c", is_minus_one)),
        rw!("subtract-from-nothing"; "(subtract ?c ?x)" => "(negate ?x)" if splat("?c", adds_nothing)),
        // One rounding each, of the same number.
        rw!("divide-by-power-of-two"; "(divide ?x ?c)" => { Reciprocal { x: var("?x"), c: var("?c") } } if splat("?c", has_exact_reciprocal)),
        rw!("power-two"; "(power ?x ?c)" => "(multiply ?x ?x)" if splat("?c", is_two)),
    ]
}

/// Rules that hold for integers and booleans alone.
fn integers() -> Vec<Rewrite> {
    vec![
        rw!("subtract-self"; "(subtract ?x ?x)" => { Zero { like: var("?x") } } if integer("?x")),
        rw!("xor-self"; "(xor ?x ?x)" => { Zero { like: var("?x") } } if integer("?x")),
        rw!("multiply-zero"; "(multiply ?x ?c)" => "?c" if splat("?c", is_integer_zero)),
        rw!("subtract-then-add"; "(add (subtract ?x ?y) ?y)" => "?x" if integer("?x")),
        rw!("add-then-subtract"; "(subtract (add ?x ?y) ?y)" => "?x" if integer("?x")),
        rw!("negate-difference"; "(negate (subtract ?x ?y))" => "(subtract ?y ?x)" if integer("?x")),
    ]
}

/// Rules that only change the order of operands, so that the others need one form.
fn orders() -> Vec<Rewrite> {
    vec![
        rw!("commute-add"; "(add ?x ?y)" => "(add ?y ?x)"),
        rw!("commute-multiply"; "(multiply ?x ?y)" => "(multiply ?y ?x)"),
        rw!("commute-maximum"; "(maximum ?x ?y)" => "(maximum ?y ?x)"),
        rw!("commute-minimum"; "(minimum ?x ?y)" => "(minimum ?y ?x)"),
        rw!("commute-and"; "(and ?x ?y)" => "(and ?y ?x)"),
        rw!("commute-or"; "(or ?x ?y)" => "(or ?y ?x)"),
        rw!("commute-xor"; "(xor ?x ?y)" => "(xor ?y ?x)"),
    ]
}

fn var(name: &str) -> Var {
    name.parse().expect("a rule's variable should be written ?name")
}

/// The variable is a constant with one value, of which the predicate holds.
fn splat(name: &str, holds: fn(&DenseElements) -> bool) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    let var = var(name);
    move |graph, _, subst| constant_in(graph, subst[var]).is_some_and(|c| c.splat_bytes().is_some() && holds(c))
}

/// Both constants are as said, and the third variable has the type of the whole.
fn both(
    first: &str,
    first_holds: fn(&DenseElements) -> bool,
    second: &str,
    second_holds: fn(&DenseElements) -> bool,
    whole: &str,
) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    let (first, second, whole) = (splat(first, first_holds), splat(second, second_holds), var(whole));
    move |graph, id, subst| {
        first(graph, id, subst) && second(graph, id, subst) && ty_of(graph, subst[whole]) == ty_of(graph, id)
    }
}

fn of_family(name: &str, holds: fn(Family) -> bool) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    let var = var(name);
    move |graph, _, subst| {
        let dtype = ty_of(graph, subst[var]).as_tensor().and_then(|tensor| tensor.element.dtype());
        dtype.is_some_and(|dtype| holds(dtype.family()))
    }
}

fn integer(name: &str) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    of_family(name, |family| matches!(family, Family::Signed | Family::Unsigned))
}

fn float(name: &str) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    of_family(name, |family| family == Family::Float)
}

fn real(name: &str) -> impl Fn(&mut Graph, Id, &Subst) -> bool + use<> {
    of_family(name, |family| matches!(family, Family::Signed | Family::Unsigned | Family::Float))
}

/// `x + c` is `x` for every `x`: integer 0, and −0.0, since −0.0 + 0.0 is 0.0.
fn adds_nothing(c: &DenseElements) -> bool {
    is_integer_zero(c) || c.splat_float().is_some_and(|value| value == 0.0 && value.is_sign_negative())
}

fn subtracts_nothing(c: &DenseElements) -> bool {
    is_integer_zero(c) || c.splat_float().is_some_and(|value| value == 0.0 && value.is_sign_positive())
}

fn is_integer_zero(c: &DenseElements) -> bool {
    c.splat_integer() == Some(0)
}

fn is_one(c: &DenseElements) -> bool {
    c.splat_integer() == Some(1) || c.splat_float() == Some(1.0)
}

fn is_two(c: &DenseElements) -> bool {
    c.splat_float() == Some(2.0)
}

fn is_minus_one(c: &DenseElements) -> bool {
    c.splat_integer() == Some(-1) || c.splat_float() == Some(-1.0)
}

/// Every bit of the element is set: `true`, -1, or the largest unsigned number.
fn is_all_ones(c: &DenseElements) -> bool {
    let dtype = c.ty.element.dtype();
    match dtype.map(|dtype| dtype.family()) {
        Some(Family::Bool) => c.splat_integer() == Some(1),
        Some(Family::Signed) => c.splat_integer() == Some(-1),
        Some(Family::Unsigned) if dtype.is_some_and(|dtype| dtype.bits() >= 8) => c.bytes.iter().all(|byte| *byte == 0xff),
        _ => false,
    }
}

/// A power of two whose reciprocal is a normal number, in a format where both are exact.
fn has_exact_reciprocal(c: &DenseElements) -> bool {
    const MANTISSA_BITS: u64 = (1 << 52) - 1;
    // 2^-14 to 2^14 are normal in all formats, f16 included.
    let in_range = |value: f64| (2f64.powi(-14)..=2f64.powi(14)).contains(&value.abs());
    c.splat_float().is_some_and(|value| in_range(value) && value.to_bits() & MANTISSA_BITS == 0)
}

/// `x * (1 / c)`.
struct Reciprocal {
    x: Var,
    c: Var,
}

impl egg::Applier<Node, Tables> for Reciprocal {
    fn apply_one(
        &self,
        graph: &mut Graph,
        id: Id,
        subst: &Subst,
        _: Option<&egg::PatternAst<Node>>,
        rule: egg::Symbol,
    ) -> Vec<Id> {
        let Some(reciprocal) = constant_in(graph, subst[self.c]).and_then(reciprocal) else { return Vec::new() };
        let constant = constant_node(graph, reciprocal);
        let constant = graph.add(constant);
        let ty = ty_of(graph, id).clone();
        let product = add_op(graph, Opcode::StablehloMultiply, AttrMap::default(), &[subst[self.x], constant], ty);
        if graph.union_trusted(id, product, rule) { vec![id] } else { Vec::new() }
    }
}

fn reciprocal(c: &DenseElements) -> Option<DenseElements> {
    use pygraph_artifact::dtype::DType;
    let value = 1.0 / c.splat_float()?;
    let bytes = match c.ty.element.dtype()? {
        DType::F64 => value.to_le_bytes().to_vec(),
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        DType::F16 => half::f16::from_f64(value).to_le_bytes().to_vec(),
        DType::Bf16 => half::bf16::from_f64(value).to_le_bytes().to_vec(),
        _ => return None,
    };
    Some(DenseElements::splat(c.ty.clone(), &bytes))
}

/// Zero, of the type of a variable.
struct Zero {
    like: Var,
}

impl egg::Applier<Node, Tables> for Zero {
    fn apply_one(
        &self,
        graph: &mut Graph,
        id: Id,
        subst: &Subst,
        _: Option<&egg::PatternAst<Node>>,
        rule: egg::Symbol,
    ) -> Vec<Id> {
        let crate::ir::Type::Tensor(ty) = ty_of(graph, subst[self.like]).clone() else { return Vec::new() };
        // A constant's shape is static.
        let (Some(dtype), Some(1..)) = (ty.element.dtype(), ty.element_count()) else { return Vec::new() };
        let zero = vec![0u8; dtype.size_bytes()];
        let node = constant_node(graph, DenseElements::splat(ty, &zero));
        let constant = graph.add(node);
        if graph.union_trusted(id, constant, rule) { vec![id] } else { Vec::new() }
    }
}
