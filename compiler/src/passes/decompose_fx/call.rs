//! One `fx.call` as a decomposition sees it: its arguments by position or name, its results as StableHLO types them.

use std::{cell::RefCell, sync::Arc};

use crate::{
    ir::{
        Attribute, Dim, ElementType, Module, OpId, Opcode, TensorType, Type, ValueId,
        types::{FloatKind, Signedness},
    },
    passes::emit::{Emit, Number, Out, Refusal, static_shape},
};

/// An argument.
#[derive(Debug, Clone)]
pub enum Arg {
    /// `None`, also where the call does not have the argument.
    None,
    /// A number that is known now.
    Number(Number),
    /// A Python number that is computed: a tensor of no dimensions whose element type does not take part in promotion
    /// as a tensor's does.
    Symbolic(ValueId),
    /// A tensor, with the operand that it is.
    Tensor(ValueId, usize),
    /// A list or tuple.
    List(Vec<Arg>),
    /// A string.
    Text(Arc<str>),
    /// A sub-graph.
    Graph(Arc<str>),
    /// An element type, device, layout or memory format: the result's type and the call's attributes say them.
    Torch,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// The operation.
    pub op: OpId,
    /// The operator's full name (`aten.add.Tensor`).
    pub target: Arc<str>,
    /// Arguments by position.
    pub args: Vec<Arg>,
    /// Arguments by name.
    pub kwargs: Vec<(Arc<str>, Arg)>,
    /// Types of the results, signless.
    pub results: Vec<Type>,
    /// What the operator stores into operands, by operand.
    pub writes: RefCell<Vec<(usize, ValueId)>>,
}

/// An argument of an elementwise operator.
#[derive(Debug, Clone, Copy)]
pub enum Operand {
    /// A tensor.
    Tensor(ValueId),
    /// A Python number that is computed.
    Symbolic(ValueId),
    /// A Python number.
    Number(Number),
}

static NONE: Arg = Arg::None;

impl Call {
    /// Reads the attributes of an `fx.call` whose operands now have the values `operands`.
    pub fn read(module: &Module, op: OpId, operands: &[ValueId]) -> Result<Call, Refusal> {
        let call = module.op(op);
        let target = match call.attr("target") {
            Some(Attribute::String(target)) => target.clone(),
            _ => unreachable!("the verifier should want a target"),
        };
        let reader = Reader { module, op, operands };
        let args = match call.attr("args") {
            Some(Attribute::Array(args)) => args.iter().map(|arg| reader.arg(arg, 0)).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let kwargs = match call.attr("kwargs") {
            Some(Attribute::Dictionary(kwargs)) => kwargs
                .iter()
                .map(|(name, arg)| Ok((name.clone(), reader.arg(arg, 0)?)))
                .collect::<Result<_, Refusal>>()?,
            _ => Vec::new(),
        };
        let results = call.results.iter().map(|result| signless(module.ty(*result))).collect();
        Ok(Call { op, target, args, kwargs, results, writes: RefCell::default() })
    }

    /// The argument at a position or of a name.
    pub fn arg(&self, position: usize, name: &str) -> &Arg {
        let named = || self.kwargs.iter().find(|(own, _)| own.as_ref() == name).map(|(_, arg)| arg);
        self.args.get(position).or_else(named).unwrap_or(&NONE)
    }

    /// True if the argument is given and not `None`.
    pub fn has(&self, position: usize, name: &str) -> bool {
        !matches!(self.arg(position, name), Arg::None)
    }

    /// A tensor.
    pub fn tensor(&self, position: usize, name: &str) -> Out {
        match self.arg(position, name) {
            Arg::Tensor(value, _) | Arg::Symbolic(value) => Ok(*value),
            _ => Err(Refusal(format!("argument `{name}` should be a tensor"))),
        }
    }

    /// A tensor or none.
    pub fn optional_tensor(&self, position: usize, name: &str) -> Result<Option<ValueId>, Refusal> {
        if self.has(position, name) { self.tensor(position, name).map(Some) } else { Ok(None) }
    }

    /// A list of tensors.
    pub fn tensors(&self, position: usize, name: &str) -> Result<Vec<ValueId>, Refusal> {
        let Arg::List(list) = self.arg(position, name) else {
            return Err(Refusal(format!("argument `{name}` should be a list of tensors")));
        };
        list.iter()
            .map(|arg| match arg {
                Arg::Tensor(value, _) => Ok(*value),
                _ => Err(Refusal(format!("argument `{name}` should be a list of tensors"))),
            })
            .collect()
    }

    /// Tensor, Python number, or number that is computed.
    pub fn operand(&self, position: usize, name: &str) -> Result<Operand, Refusal> {
        match self.arg(position, name) {
            Arg::Tensor(value, _) => Ok(Operand::Tensor(*value)),
            Arg::Symbolic(value) => Ok(Operand::Symbolic(*value)),
            Arg::Number(number) => Ok(Operand::Number(*number)),
            _ => Err(Refusal(format!("argument `{name}` should be a tensor or a number"))),
        }
    }

    /// A number, if it is given.
    pub fn optional_number(&self, position: usize, name: &str) -> Result<Option<Number>, Refusal> {
        match self.arg(position, name) {
            Arg::Number(number) => Ok(Some(*number)),
            Arg::None => Ok(None),
            Arg::Symbolic(_) | Arg::Tensor(..) => {
                Err(Refusal(format!("argument `{name}` is known only at run time, and has to be known now")))
            }
            _ => Err(Refusal(format!("argument `{name}` should be a number"))),
        }
    }

    /// A number that has to be given.
    pub fn number(&self, position: usize, name: &str) -> Result<Number, Refusal> {
        self.optional_number(position, name)?.ok_or_else(|| Refusal(format!("argument `{name}` is missing")))
    }

    /// An integer.
    pub fn int(&self, position: usize, name: &str, default: i64) -> Result<i64, Refusal> {
        Ok(self.optional_number(position, name)?.map_or(default, Number::as_i64))
    }

    /// A real number.
    pub fn float(&self, position: usize, name: &str, default: f64) -> Result<f64, Refusal> {
        Ok(self.optional_number(position, name)?.map_or(default, Number::as_f64))
    }

    /// A truth value.
    pub fn flag(&self, position: usize, name: &str, default: bool) -> Result<bool, Refusal> {
        Ok(self.optional_number(position, name)?.map_or(default, Number::as_bool))
    }

    /// A string.
    pub fn text(&self, position: usize, name: &str) -> Option<&str> {
        if let Arg::Text(text) = self.arg(position, name) { Some(text) } else { None }
    }

    /// A list of integers; a single integer is a list of one; empty where there is none.
    pub fn ints(&self, position: usize, name: &str) -> Result<Vec<i64>, Refusal> {
        match self.arg(position, name) {
            Arg::None => Ok(Vec::new()),
            Arg::Number(number) => Ok(vec![number.as_i64()]),
            Arg::List(list) => list
                .iter()
                .map(|arg| match arg {
                    Arg::Number(number) => Ok(number.as_i64()),
                    Arg::Symbolic(_) => Err(Refusal(format!("argument `{name}` has a number known only at run time"))),
                    _ => Err(Refusal(format!("argument `{name}` should be a list of integers"))),
                })
                .collect(),
            _ => Err(Refusal(format!("argument `{name}` should be a list of integers"))),
        }
    }

    /// A list of `count` integers: one is repeated, none gives `default`.
    pub fn ints_of(&self, position: usize, name: &str, count: usize, default: i64) -> Result<Vec<i64>, Refusal> {
        const MAGNITUDE_MAX: i64 = 1 << 30;
        let list = self.ints(position, name)?;
        if let Some(number) = list.iter().find(|number| number.unsigned_abs() > MAGNITUDE_MAX.unsigned_abs()) {
            return Err(Refusal(format!("argument `{name}` has {number}, which is too large")));
        }
        match list.len() {
            0 => Ok(vec![default; count]),
            1 => Ok(vec![list[0]; count]),
            length if length == count => Ok(list),
            length => Err(Refusal(format!("argument `{name}` has {length} numbers for {count} dimensions"))),
        }
    }

    /// A dimension of a tensor of that rank; negative ones count from the end.
    pub fn dim(&self, position: usize, name: &str, default: i64, rank: usize) -> Result<usize, Refusal> {
        wrap_dim(self.int(position, name, default)?, rank)
    }

    /// A list of dimensions; all of them where there is none or it is empty.
    pub fn dims(&self, position: usize, name: &str, rank: usize) -> Result<Vec<i64>, Refusal> {
        let given = self.ints(position, name)?;
        if given.is_empty() {
            return Ok((0..rank as i64).collect());
        }
        let mut dims =
            given.into_iter().map(|dim| Ok(wrap_dim(dim, rank)? as i64)).collect::<Result<Vec<_>, Refusal>>()?;
        dims.sort_unstable();
        dims.dedup();
        if rank == 0 {
            dims.clear();
        }
        Ok(dims)
    }

    /// The type of a result that is a tensor.
    pub fn result(&self, index: usize) -> Result<&TensorType, Refusal> {
        let tensor = self.results.get(index).and_then(Type::as_tensor);
        tensor.ok_or_else(|| Refusal(format!("result {index} should be a tensor")))
    }

    /// The extents of a result.
    pub fn shape(&self, index: usize) -> Result<Vec<i64>, Refusal> {
        static_shape(self.result(index)?)
    }

    /// The element type of a result.
    pub fn element(&self, index: usize) -> Result<ElementType, Refusal> {
        Ok(self.result(index)?.element.clone())
    }

    /// Zeros for a result that only training or debugging reads.
    pub fn zeros(&self, emit: &mut Emit, index: usize) -> Out {
        emit.splat(Number::Int(0), &self.element(index)?, &self.shape(index)?)
    }
}

/// A dimension from 0; negative ones count from the end. A tensor of no dimensions has dimension 0 and -1.
pub fn wrap_dim(dim: i64, rank: usize) -> Result<usize, Refusal> {
    let extent = rank.max(1) as i64;
    let wrapped = if dim < 0 { dim.saturating_add(extent) } else { dim };
    if (0..extent).contains(&wrapped) {
        return Ok(wrapped as usize);
    }
    Err(Refusal(format!("there is no dimension {dim} in a tensor of {rank}")))
}

/// The type of an FX value in StableHLO: signed integers lose their sign, Python numbers become tensors.
pub fn signless(ty: &Type) -> Type {
    match ty {
        Type::Tensor(tensor) => Type::from(tensor.with_element(signless_element(&tensor.element))),
        Type::Scalar(element) => Type::tensor(&[], signless_element(element)),
        other => other.clone(),
    }
}

fn signless_element(element: &ElementType) -> ElementType {
    match element {
        ElementType::Integer { width, signedness: Signedness::Signed } => {
            ElementType::Integer { width: *width, signedness: Signedness::Signless }
        }
        other => other.clone(),
    }
}

/// True if a type has a dimension that is known only at run time.
pub fn is_dynamic(ty: &Type) -> bool {
    ty.as_tensor().is_some_and(|tensor| tensor.shape.iter().any(|dim| matches!(dim, Dim::Symbol(_))))
}

struct Reader<'a> {
    module: &'a Module,
    op: OpId,
    operands: &'a [ValueId],
}

impl Reader<'_> {
    fn arg(&self, attribute: &Attribute, depth: usize) -> Result<Arg, Refusal> {
        const DEPTH_MAX: usize = 32;
        Ok(match attribute {
            Attribute::Unit => Arg::None,
            Attribute::Bool(value) => Arg::Number(Number::Bool(*value)),
            Attribute::Integer { value, .. } => {
                let value = i64::try_from(*value).map_err(|_| Refusal(format!("{value} does not fit 64 bits")))?;
                Arg::Number(Number::Int(value))
            }
            Attribute::Float { bits, .. } => Arg::Number(Number::Float(f64::from_bits(*bits))),
            Attribute::Array(list) if depth < DEPTH_MAX => {
                Arg::List(list.iter().map(|arg| self.arg(arg, depth + 1)).collect::<Result<_, _>>()?)
            }
            Attribute::Symbol(path) if path.len() == 1 => Arg::Graph(path[0].clone()),
            Attribute::String(text) => self.text(text)?,
            _ => return Err(Refusal::from("an argument is of a kind that no operator takes")),
        })
    }

    fn text(&self, text: &Arc<str>) -> Result<Arg, Refusal> {
        if let Some(index) = text.strip_prefix('%') {
            return self.operand(index);
        }
        Ok(match text.split_once(':') {
            Some(("dtype", name)) => {
                if !DTYPES.contains(&name) {
                    return Err(Refusal(format!("element type {name} does not run yet")));
                }
                Arg::Torch
            }
            Some(("device" | "layout" | "memory_format", _)) => Arg::Torch,
            Some(("str", text)) => Arg::Text(Arc::from(text)),
            _ => Arg::Text(text.clone()),
        })
    }

    fn operand(&self, index: &str) -> Result<Arg, Refusal> {
        let found = index.parse::<usize>().ok().and_then(|at| self.operands.get(at).map(|value| (at, *value)));
        let (at, value) = found.ok_or_else(|| Refusal(format!("the call has no operand %{index}")))?;
        let declared = self.module.op(self.op).operands[at];
        Ok(match self.module.ty(declared) {
            Type::Scalar(_) => number_of(self.module, value).map_or(Arg::Symbolic(value), Arg::Number),
            _ => Arg::Tensor(value, at),
        })
    }
}

/// The number that a value of no dimensions holds, if it is a constant.
fn number_of(module: &Module, value: ValueId) -> Option<Number> {
    let op = module.op(module.defining_op(value)?);
    let (Opcode::StablehloConstant, Some(Attribute::Dense(dense))) = (op.opcode, op.attr("value")) else { return None };
    let bytes: &[u8] = &dense.bytes;
    match dense.ty.element {
        ElementType::Integer { width: 1, .. } => Some(Number::Bool(*bytes.first()? != 0)),
        ElementType::Integer { width: 64, .. } => Some(Number::Int(i64::from_le_bytes(bytes.try_into().ok()?))),
        ElementType::Float(FloatKind::F64) => Some(Number::Float(f64::from_le_bytes(bytes.try_into().ok()?))),
        _ => None,
    }
}

/// PyTorch's names of the element types that run.
const DTYPES: &[&str] = &[
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "bfloat16",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
];
