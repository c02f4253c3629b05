//! Makes operations, with their result types where the operation determines them.

use std::{collections::HashSet, sync::Arc};

use super::{
    AttrMap, Attribute, BlockId, Dim, Loc, Module, OpId, Opcode, RegionId, Type, ValueId,
    module::OpParts,
    ops::view::View,
    types::{Symbol, TensorType},
};
use crate::diagnostic::Diagnostic;

/// Makes operations at a place, all with one location.
///
/// ```
/// use pygraph_compiler::ir::{Attribute, ElementType, Loc, Module, Opcode, Type, build::Builder};
///
/// let mut module = Module::new("example.mlir");
/// let block = module.body();
/// let mut builder = Builder::at_end(&mut module, block, Loc::UNKNOWN);
/// let shape = [("iota_dimension", Attribute::i64(0))];
/// let x = builder.typed_value(Opcode::StablehloIota, &[], shape, Type::tensor(&[2, 3], ElementType::F32));
/// let y = builder.value(Opcode::StablehloTranspose, &[x], [("permutation", Attribute::i64_array([1, 0]))]).unwrap();
/// assert_eq!(*module.ty(y), Type::tensor(&[3, 2], ElementType::F32));
/// ```
#[derive(Debug)]
pub struct Builder<'m> {
    /// Where operations are made.
    pub module: &'m mut Module,
    /// Where they come from.
    pub loc: Loc,
    point: Point,
}

#[derive(Debug, Clone, Copy)]
enum Point {
    EndOf(BlockId),
    Before(OpId),
}

impl<'m> Builder<'m> {
    /// Makes operations at the end of a block.
    pub fn at_end(module: &'m mut Module, block: BlockId, loc: Loc) -> Builder<'m> {
        Builder { module, loc, point: Point::EndOf(block) }
    }

    /// Makes operations before another, with its location.
    pub fn before(module: &'m mut Module, op: OpId) -> Builder<'m> {
        let loc = module.op(op).loc;
        Builder { module, loc, point: Point::Before(op) }
    }

    /// Makes an operation without regions. The error, at the builder's location, says what does not fit.
    ///
    /// Operations whose result types do not follow from the rest (`reshape`, `convert`, `iota`, calls) are for
    /// [`Builder::typed`].
    pub fn op<N: Into<Arc<str>>>(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Result<OpId, Diagnostic> {
        self.op_with_regions(opcode, operands, attrs, &[])
    }

    /// Makes an operation of one result and gives the result.
    pub fn value<N: Into<Arc<str>>>(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Result<ValueId, Diagnostic> {
        let op = self.op(opcode, operands, attrs)?;
        Ok(self.result(op))
    }

    /// Makes an operation of one result and no attributes.
    pub fn plain(&mut self, opcode: Opcode, operands: &[ValueId]) -> Result<ValueId, Diagnostic> {
        self.value::<&str>(opcode, operands, [])
    }

    /// Makes an operation with regions made before by [`Builder::body`].
    pub fn op_with_regions<N: Into<Arc<str>>>(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: impl IntoIterator<Item = (N, Attribute)>,
        regions: &[RegionId],
    ) -> Result<OpId, Diagnostic> {
        let attrs: AttrMap = attrs.into_iter().collect();
        let view = View { module: self.module, opcode, operands, attrs: &attrs, regions, results: &[] };
        let types = match opcode.def().infer {
            Some(infer) => infer(&view),
            None if opcode.def().results.is_empty() => Ok(Vec::new()),
            None => Err(format!("the result types of {} must be given", opcode.name())),
        };
        let mut types = types.map_err(|message| self.error(message))?;
        name_unknown_dims(self.module, &mut types);
        Ok(self.insert(opcode, operands, attrs, types, regions))
    }

    /// Makes an operation of these result types, unchecked: the verifier will.
    pub fn typed<N: Into<Arc<str>>>(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: impl IntoIterator<Item = (N, Attribute)>,
        result_types: Vec<Type>,
        regions: &[RegionId],
    ) -> OpId {
        self.insert(opcode, operands, attrs.into_iter().collect(), result_types, regions)
    }

    /// Makes an operation of one result of this type, unchecked: the verifier will.
    pub fn typed_value<N: Into<Arc<str>>>(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: impl IntoIterator<Item = (N, Attribute)>,
        result_type: impl Into<Type>,
    ) -> ValueId {
        let op = self.typed(opcode, operands, attrs, vec![result_type.into()], &[]);
        self.result(op)
    }

    /// Makes a region of one block with these arguments; `fill` makes its operations and gives the values for
    /// `terminator`.
    pub fn body(
        &mut self,
        argument_types: &[Type],
        terminator: Opcode,
        fill: impl FnOnce(&mut Builder<'_>, &[ValueId]) -> Result<Vec<ValueId>, Diagnostic>,
    ) -> Result<RegionId, Diagnostic> {
        let region = self.module.create_region();
        let block = self.module.create_block(region);
        let arguments: Vec<ValueId> =
            argument_types.iter().map(|ty| self.module.add_argument(block, ty.clone())).collect();
        let mut inner = Builder::at_end(self.module, block, self.loc);
        let values = fill(&mut inner, &arguments)?;
        inner.typed::<&str>(terminator, &values, [], Vec::new(), &[]);
        Ok(region)
    }

    /// The only result of an operation.
    pub fn result(&self, op: OpId) -> ValueId {
        self.module.op(op).results[0]
    }

    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> &Type {
        self.module.ty(value)
    }

    /// An error at the builder's location.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.module.location(self.loc).position.clone(), message)
    }

    fn insert(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        attrs: AttrMap,
        result_types: Vec<Type>,
        regions: &[RegionId],
    ) -> OpId {
        let parts = OpParts { operands: operands.into(), result_types, attrs, regions: regions.into() };
        let op = self.module.create_op(opcode, parts, self.loc);
        match self.point {
            Point::EndOf(block) => self.module.append(block, op),
            Point::Before(anchor) => self.module.insert_before(anchor, op),
        }
        op
    }
}

/// Gives every dimension that inference knows nothing of a name that no other has.
fn name_unknown_dims(module: &Module, types: &mut [Type]) {
    let is_unknown = |dim: &Dim| matches!(dim, Dim::Symbol(symbol) if &*symbol.name == "?");
    if !types.iter().any(|ty| ty.as_tensor().is_some_and(|tensor| tensor.shape.iter().any(is_unknown))) {
        return;
    }
    let values = module.arena_sizes().1;
    let mut taken: HashSet<Arc<str>> = HashSet::new();
    for value in module.value_ids() {
        let shape = module.ty(value).as_tensor().map(|tensor| &tensor.shape[..]).unwrap_or_default();
        taken.extend(shape.iter().filter_map(|dim| match dim {
            Dim::Symbol(symbol) => Some(symbol.name.clone()),
            Dim::Static(_) => None,
        }));
    }
    let mut next = values;
    for ty in types {
        let Some(tensor) = ty.as_tensor() else { continue };
        let mut named: TensorType = tensor.clone();
        for dim in named.shape.iter_mut().filter(|dim| is_unknown(dim)) {
            while taken.contains(&*format!("u{next}")) {
                next += 1;
            }
            *dim = Dim::Symbol(Arc::new(Symbol { name: format!("u{next}").into(), extent_min: 0, extent_max: None }));
            next += 1;
        }
        *ty = named.into();
    }
}
