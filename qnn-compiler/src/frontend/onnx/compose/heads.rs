//! Splitting tensors into attention heads, and joining heads.

use super::parts::Parts;
use crate::graph::ValueId;
use crate::infer::{Answer, invalid};

impl Parts<'_, '_> {
    /// (batch, length, heads · width) as (batch, heads, length, width).
    pub(super) fn split_heads(&mut self, x: ValueId, heads: usize) -> Answer<ValueId> {
        let [batch, length, wide] = self.shape(x)[..] else {
            return invalid("a tensor with heads has not three axes");
        };
        if heads == 0 || wide % heads != 0 {
            return invalid(format!("{wide} elements split into {heads} heads"));
        }
        let split = self.reshape(x, &[batch, length, heads, wide / heads])?;
        self.transpose(split, &[0, 2, 1, 3])
    }

    /// (batch, heads, length, width) as (batch, length, heads · width).
    pub(super) fn join_heads(&mut self, x: ValueId) -> Answer<ValueId> {
        let [batch, heads, length, width] = self.shape(x)[..] else {
            return invalid("a tensor of heads has not four axes");
        };
        let turned = self.transpose(x, &[0, 2, 1, 3])?;
        self.reshape(turned, &[batch, length, heads * width])
    }
}
