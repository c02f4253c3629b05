//! The fields of a parameter block, as `pyg.param_block` spells them.

use std::sync::Arc;

use pygraph_artifact::plan::{ADDRESS_BYTES, FieldSource, field_alignment};

use super::site::{size_bytes, tensor_of};
use crate::ir::{AttrMap, Attribute, Module, OpId, Opcode, Type};

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockField {
    /// The argument's or result's name, unique in the block.
    pub name: String,
    /// Where it lies in the block, in bytes.
    pub offset: u64,
    /// What is written there.
    pub source: FieldSource,
    /// The type of the value, or of what lies at the address.
    pub ty: Type,
}

impl BlockField {
    /// Size of the field in the block, in bytes.
    pub fn bytes(&self) -> u64 {
        match self.source {
            FieldSource::Value { .. } => size_bytes(&self.ty).unwrap_or(0),
            FieldSource::ParamAddress { .. } | FieldSource::ResultAddress { .. } => ADDRESS_BYTES,
        }
    }

    /// What it holds, in a word: the type of a value, or `address`.
    pub fn kind(&self) -> String {
        match (self.source, tensor_of(&self.ty)) {
            (FieldSource::Value { .. }, Some(ty)) if ty.shape.is_empty() => ty.dtype.to_string(),
            (FieldSource::Value { .. }, Some(ty)) => format!("{}{:?}", ty.dtype, ty.shape),
            _ => "address".to_string(),
        }
    }
}

/// Lays fields out, in order: values of up to eight bytes and addresses at multiples of 8, others of 16; with the block's size.
pub fn lay_out(fields: impl IntoIterator<Item = (String, FieldSource, Type)>) -> (Vec<BlockField>, u64) {
    let mut end = 0u64;
    let place = |(name, source, ty): (String, FieldSource, Type)| {
        let mut field = BlockField { name, offset: 0, source, ty };
        let bytes = field.bytes();
        field.offset = end.next_multiple_of(field_alignment(bytes));
        end = field.offset + bytes;
        field
    };
    let fields = fields.into_iter().map(place).collect();
    (fields, end)
}

/// The fields as an attribute.
pub fn fields_attribute(fields: &[BlockField]) -> Attribute {
    let dictionary = |field: &BlockField| {
        let (kind, role, number) = match field.source {
            FieldSource::Value { param } => ("value", "argument", param),
            FieldSource::ParamAddress { param } => ("address", "argument", param),
            FieldSource::ResultAddress { result } => ("address", "result", result),
        };
        let attrs = AttrMap::from_iter([
            ("name", Attribute::string(&field.name)),
            ("kind", Attribute::string(kind)),
            ("offset", Attribute::i64(field.offset as i64)),
            (role, Attribute::i64(i64::from(number))),
            ("type", Attribute::Type(field.ty.clone())),
        ]);
        Attribute::Dictionary(Arc::new(attrs))
    };
    Attribute::Array(fields.iter().map(dictionary).collect())
}

/// The fields of a `pyg.param_block`; none if they are not spelled so.
pub fn fields_of(attribute: &Attribute) -> Option<Vec<BlockField>> {
    let Attribute::Array(items) = attribute else { return None };
    items.iter().map(field_of).collect()
}

fn field_of(item: &Attribute) -> Option<BlockField> {
    let Attribute::Dictionary(attrs) = item else { return None };
    let number = |name: &str| attrs.get(name).and_then(Attribute::as_i64);
    let index = |name: &str| number(name).and_then(|value| u32::try_from(value).ok());
    let source = match (attrs.get("kind")?.as_str()?, index("argument"), index("result")) {
        ("value", Some(param), None) => FieldSource::Value { param },
        ("address", Some(param), None) => FieldSource::ParamAddress { param },
        ("address", None, Some(result)) => FieldSource::ResultAddress { result },
        _ => return None,
    };
    let Some(Attribute::Type(ty)) = attrs.get("type") else { return None };
    let offset = u64::try_from(number("offset")?).ok()?;
    Some(BlockField { name: attrs.get("name")?.as_str()?.to_string(), offset, source, ty: ty.clone() })
}

/// The parameter block that an operation's attribute `block` names, with its fields. The verifier has checked both.
pub fn block_of(module: &Module, op: OpId) -> Option<(OpId, Vec<BlockField>)> {
    block_named(module, module.op(op).attr("block")?)
}

/// The parameter block of that symbol, with its fields.
pub fn block_named(module: &Module, symbol: &Attribute) -> Option<(OpId, Vec<BlockField>)> {
    let block = find(module, symbol)?;
    Some((block, fields_of(module.op(block).attr("fields")?)?))
}

/// The field of that name of the parameter block of that symbol, found without looking at what the others are; the outer none if there is no such block.
pub fn field_named(module: &Module, symbol: &Attribute, name: &str) -> Option<Option<BlockField>> {
    let block = find(module, symbol)?;
    let Attribute::Array(items) = module.op(block).attr("fields")? else { return None };
    let is_named = |item: &&Attribute| {
        let Attribute::Dictionary(attrs) = item else { return false };
        attrs.get("name").and_then(Attribute::as_str) == Some(name)
    };
    Some(items.iter().find(is_named).and_then(field_of))
}

fn find(module: &Module, symbol: &Attribute) -> Option<OpId> {
    let Attribute::Symbol(path) = symbol else { return None };
    module.symbol(path.last()?).filter(|op| module.op(*op).opcode == Opcode::PygParamBlock)
}
