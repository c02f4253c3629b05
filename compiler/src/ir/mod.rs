//! The one IR of every level: tensor, kernel and plan.
//!
//! A [`Module`] owns operations, values, blocks and regions in arenas and hands out ids. Operations of a block form a
//! list, so that inserting and erasing take constant time.
//!
//! - [`types`], [`attribute`]: what values and operations carry, all of it typed.
//! - [`ops`]: the operation table.
//! - [`module`]: the arenas and how they change.
//! - [`parse`], [`print`](mod@print), [`syntax`]: text in and out.
//! - [`verify`]: what holds of every module that a pass sees.
//! - [`build`]: makes operations and infers their types.
//! - [`dot`]: a drawing of a module, for people.

pub mod attribute;
pub mod build;
mod dense;
pub mod dot;
pub mod enums;
pub mod module;
pub mod ops;
pub mod parse;
pub mod print;
pub mod syntax;
pub mod types;
pub mod verify;

pub use attribute::{AttrMap, Attribute};
pub use module::{Block, BlockId, Definition, Loc, Module, OpId, Operation, Region, RegionId, Value, ValueId};
pub use ops::Opcode;
pub use types::{Dim, ElementType, TensorType, Type};
