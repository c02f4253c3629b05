//! Builds operations one after the other: the little of MLIR that generated functions need.

use std::cell::Cell;

use melior::{
    Context,
    ir::{
        Attribute, Block, BlockLike, BlockRef, Identifier, Location, Region, Type, Value, ValueLike,
        attribute::{
            DenseElementsAttribute, DenseI32ArrayAttribute, FloatAttribute, IntegerAttribute, StringAttribute,
            TypeAttribute,
        },
        operation::OperationBuilder,
        r#type::IntegerType,
    },
};

use crate::ffi;

/// A value of the function under construction.
pub type V<'c> = Value<'c, 'c>;

/// What a register or an element holds: the types that processors compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Kind {
    I1,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Kind {
    /// Its width.
    pub fn bits(self) -> u32 {
        match self {
            Kind::I1 => 1,
            Kind::I8 => 8,
            Kind::I16 => 16,
            Kind::I32 | Kind::F32 => 32,
            Kind::I64 | Kind::F64 => 64,
        }
    }

    fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }
}

/// Appends operations to a block.
pub struct Builder<'c> {
    pub context: &'c Context,
    location: Location<'c>,
    block: Cell<BlockRef<'c, 'c>>,
}

impl<'c> Builder<'c> {
    /// A function of that name and type in `module`, filled by `body`, which gets its arguments.
    pub fn function(
        context: &'c Context,
        module: BlockRef<'c, '_>,
        name: &str,
        arguments: &[Type<'c>],
        body: impl FnOnce(&Builder<'c>, &[V<'c>]),
    ) {
        let location = Location::unknown(context);
        let region = Region::new();
        let block = ffi::lasting_block(&region, block_of(arguments, location));
        let builder = Builder { context, location, block: Cell::new(block) };
        body(&builder, &arguments_of(block, arguments.len()));
        builder.op("llvm.return", &[], &[], &[]);
        let types = arguments.iter().map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ");
        let ty = Type::parse(context, &format!("!llvm.func<void ({types})>")).expect("a function type should parse");
        let parsed = |text: &str| Attribute::parse(context, text).expect("an attribute should parse");
        let named = |name: &str, value: Attribute<'c>| (Identifier::new(context, name), value);
        let function = OperationBuilder::new("llvm.func", location)
            .add_attributes(&[
                named("sym_name", StringAttribute::new(context, name).into()),
                named("function_type", TypeAttribute::new(ty).into()),
                named("linkage", parsed("#llvm.linkage<external>")),
                named("CConv", parsed("#llvm.cconv<ccc>")),
                // There is nothing to unwind, and nothing to call.
                named("passthrough", parsed("[\"nounwind\", \"no-builtins\"]")),
            ])
            .add_regions([region])
            .build()
            .expect("a function should build");
        module.append_operation(function);
    }

    /// Appends an operation; gives its results.
    pub fn op(
        &self,
        name: &str,
        operands: &[V<'c>],
        results: &[Type<'c>],
        attributes: &[(&str, Attribute<'c>)],
    ) -> Vec<V<'c>> {
        self.append(name, operands, results, attributes, Vec::new())
    }

    fn append(
        &self,
        name: &str,
        operands: &[V<'c>],
        results: &[Type<'c>],
        attributes: &[(&str, Attribute<'c>)],
        regions: Vec<Region<'c>>,
    ) -> Vec<V<'c>> {
        let attributes: Vec<(Identifier<'c>, Attribute<'c>)> =
            attributes.iter().map(|(name, value)| (Identifier::new(self.context, name), *value)).collect();
        let operation = OperationBuilder::new(name, self.location)
            .add_operands(operands)
            .add_results(results)
            .add_attributes(&attributes)
            .add_regions_vec(regions)
            .build()
            .expect("an operation should build");
        let operation = self.block.get().append_operation(operation);
        let result = |idx| operation.result(idx).expect("an operation should have its results");
        (0..results.len()).map(|idx| ffi::lasting_value(result(idx).into())).collect()
    }

    /// An operation with one result.
    pub fn op1(&self, name: &str, operands: &[V<'c>], result: Type<'c>, attributes: &[(&str, Attribute<'c>)]) -> V<'c> {
        self.op(name, operands, &[result], attributes)[0]
    }

    /// An operation whose result has the type of its first operand.
    pub fn same(&self, name: &str, operands: &[V<'c>]) -> V<'c> {
        self.op1(name, operands, operands[0].r#type(), &[])
    }

    /// Runs `body` for positions `from`, `from + step`, … below `to`, with values that one round leaves to the next.
    pub fn for_loop(
        &self,
        from: V<'c>,
        to: V<'c>,
        step: u64,
        carried: &[V<'c>],
        body: impl FnOnce(V<'c>, &[V<'c>]) -> Vec<V<'c>>,
    ) -> Vec<V<'c>> {
        let step = self.number(step as i64);
        let types: Vec<Type<'c>> = carried.iter().map(ValueLike::r#type).collect();
        let arguments: Vec<Type<'c>> = [from.r#type()].into_iter().chain(types.iter().copied()).collect();
        let region = Region::new();
        let block = ffi::lasting_block(&region, block_of(&arguments, self.location));
        let outer = self.block.replace(block);
        let values = arguments_of(block, arguments.len());
        let left = body(values[0], &values[1..]);
        self.op("scf.yield", &left, &[], &[]);
        self.block.set(outer);
        let operands: Vec<V<'c>> = [from, to, step].into_iter().chain(carried.iter().copied()).collect();
        self.append("scf.for", &operands, &types, &[], vec![region])
    }

    /// The type of a value of one lane or more.
    pub fn ty(&self, kind: Kind, lanes: u64) -> Type<'c> {
        let element = match kind {
            Kind::F32 => Type::float32(self.context),
            Kind::F64 => Type::float64(self.context),
            _ => IntegerType::new(self.context, kind.bits()).into(),
        };
        if lanes == 1 { element } else { Type::vector(&[lanes], element) }
    }

    /// The type of addresses.
    pub fn pointer(&self) -> Type<'c> {
        melior::dialect::llvm::r#type::pointer(self.context, 0)
    }

    /// A constant, the same in every lane.
    pub fn constant(&self, kind: Kind, lanes: u64, value: Attribute<'c>) -> V<'c> {
        let ty = self.ty(kind, lanes);
        let value = if lanes == 1 { value } else { self.dense(ty, &[value]) };
        self.op1("arith.constant", &[], ty, &[("value", value)])
    }

    /// A constant with a value for each lane.
    pub fn constants(&self, kind: Kind, values: &[i64]) -> V<'c> {
        let ty = self.ty(kind, values.len() as u64);
        let values: Vec<Attribute<'c>> = values.iter().map(|value| self.integer(kind, *value)).collect();
        self.op1("arith.constant", &[], ty, &[("value", self.dense(ty, &values))])
    }

    fn dense(&self, ty: Type<'c>, values: &[Attribute<'c>]) -> Attribute<'c> {
        DenseElementsAttribute::new(ty, values).expect("a vector should have a dense attribute").into()
    }

    /// A number as an attribute, of an integer or float type.
    pub fn integer(&self, kind: Kind, value: i64) -> Attribute<'c> {
        let ty = self.ty(kind, 1);
        if kind.is_float() {
            FloatAttribute::new(self.context, ty, value as f64).into()
        } else {
            // Only the bits that the type has.
            let unused = 64 - kind.bits();
            IntegerAttribute::new(ty, if kind == Kind::I1 { value & 1 } else { value << unused >> unused }).into()
        }
    }

    /// A float as an attribute.
    pub fn float(&self, kind: Kind, value: f64) -> Attribute<'c> {
        FloatAttribute::new(self.context, self.ty(kind, 1), value).into()
    }

    /// An `i64`.
    pub fn number(&self, value: i64) -> V<'c> {
        self.constant(Kind::I64, 1, self.integer(Kind::I64, value))
    }

    /// `a + b`, of `i64`.
    pub fn add(&self, a: V<'c>, b: V<'c>) -> V<'c> {
        self.same("arith.addi", &[a, b])
    }

    /// `value * factor`, of `i64`.
    pub fn times(&self, value: V<'c>, factor: i64) -> V<'c> {
        if factor == 1 { value } else { self.same("arith.muli", &[value, self.number(factor)]) }
    }

    /// The address of element `index` of an array of `kind`.
    pub fn element(&self, array: V<'c>, kind: Kind, index: V<'c>) -> V<'c> {
        self.op1(
            "llvm.getelementptr",
            &[array, index],
            self.pointer(),
            &[
                ("elem_type", TypeAttribute::new(self.ty(kind, 1)).into()),
                ("rawConstantIndices", DenseI32ArrayAttribute::new(self.context, &[i32::MIN]).into()),
            ],
        )
    }

    /// What lies at an address, whatever its alignment.
    pub fn load(&self, address: V<'c>, ty: Type<'c>) -> V<'c> {
        self.op1("llvm.load", &[address], ty, &[("alignment", self.integer(Kind::I64, 1))])
    }

    /// Stores to an address, whatever its alignment.
    pub fn store(&self, address: V<'c>, value: V<'c>) {
        self.op("llvm.store", &[value, address], &[], &[("alignment", self.integer(Kind::I64, 1))]);
    }

    /// Room for so many elements, for as long as the function runs. Only for the beginning of a function.
    pub fn room(&self, kind: Kind, elements: u64) -> V<'c> {
        let count = self.number(elements as i64);
        let attributes =
            [("elem_type", TypeAttribute::new(self.ty(kind, 1)).into()), ("alignment", self.integer(Kind::I64, 64))];
        self.op1("llvm.alloca", &[count], self.pointer(), &attributes)
    }

    /// One lane of a vector.
    pub fn lane(&self, vector: V<'c>, lane: u64, kind: Kind) -> V<'c> {
        self.op1("llvm.extractelement", &[vector, self.number(lane as i64)], self.ty(kind, 1), &[])
    }

    /// A vector of these lanes.
    pub fn vector(&self, kind: Kind, lanes: &[V<'c>]) -> V<'c> {
        let ty = self.ty(kind, lanes.len() as u64);
        let mut vector = self.op1("llvm.mlir.poison", &[], ty, &[]);
        for (idx, lane) in lanes.iter().enumerate() {
            vector = self.same("llvm.insertelement", &[vector, *lane, self.number(idx as i64)]);
        }
        vector
    }

    /// The lanes `from .. from + count`.
    pub fn part(&self, vector: V<'c>, kind: Kind, from: u64, count: u64) -> V<'c> {
        let mask: Vec<i32> = (from..from + count).map(|lane| lane as i32).collect();
        let mask = DenseI32ArrayAttribute::new(self.context, &mask).into();
        self.op1("llvm.shufflevector", &[vector, vector], self.ty(kind, count), &[("mask", mask)])
    }

    /// The same value in every lane.
    pub fn splat(&self, value: V<'c>, kind: Kind, lanes: u64) -> V<'c> {
        if lanes == 1 {
            return value;
        }
        let ty = self.ty(kind, lanes);
        let poison = self.op1("llvm.mlir.poison", &[], ty, &[]);
        let one = self.same("llvm.insertelement", &[poison, value, self.number(0)]);
        let mask = DenseI32ArrayAttribute::new(self.context, &vec![0; lanes as usize]).into();
        self.op1("llvm.shufflevector", &[one, one], ty, &[("mask", mask)])
    }

    /// Calls a function of one or two `f64`.
    pub fn call(&self, function: V<'c>, operands: &[V<'c>]) -> V<'c> {
        let all: Vec<V<'c>> = [function].into_iter().chain(operands.iter().copied()).collect();
        let sizes = |sizes: &[i32]| DenseI32ArrayAttribute::new(self.context, sizes).into();
        let attributes = [("operandSegmentSizes", sizes(&[all.len() as i32, 0])), ("op_bundle_sizes", sizes(&[]))];
        self.op1("llvm.call", &all, self.ty(Kind::F64, 1), &attributes)
    }
}

fn block_of<'c>(arguments: &[Type<'c>], location: Location<'c>) -> Block<'c> {
    Block::new(&arguments.iter().map(|ty| (*ty, location)).collect::<Vec<_>>())
}

fn arguments_of<'c>(block: BlockRef<'c, 'c>, count: usize) -> Vec<V<'c>> {
    let argument = |idx| block.argument(idx).expect("a block should have its arguments");
    (0..count).map(|idx| ffi::lasting_argument(argument(idx))).collect()
}
