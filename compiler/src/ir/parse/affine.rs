//! `affine_map<(d0, d1) -> (d0 * 2 + d1 + 1)>`, as far as results are linear.

use smallvec::smallvec;

use super::{ParseResult, Parser, lexer::Kind};
use crate::ir::attribute::{AffineMap, LinearExpr};

/// No iteration space that is read has more dimensions.
const DIMS_MAX: usize = 64;

impl Parser<'_> {
    /// Reads `<(d0, …) -> (…)>`, after `affine_map`.
    pub(super) fn parse_affine_map(&mut self) -> ParseResult<AffineMap> {
        self.expect(b'<')?;
        self.expect(b'(')?;
        let start = self.offset();
        let names = self.parse_list(b')', |parser| parser.expect_any_word("the name of a dimension such as `d0`"))?;
        if names.len() > DIMS_MAX {
            return self
                .fail_at(start, format!("an affine map of {} dimensions: at most {DIMS_MAX} are read", names.len()));
        }
        if self.at_punct(b'[') {
            return self.fail("affine maps with symbols are not read");
        }
        self.expect_arrow()?;
        self.expect(b'(')?;
        let results = self.parse_list(b')', |parser| parser.parse_linear(&names))?;
        self.expect(b'>')?;
        Ok(AffineMap { dim_count: names.len(), results })
    }

    /// A sum of terms.
    fn parse_linear(&mut self, names: &[&str]) -> ParseResult<LinearExpr> {
        let mut sum = LinearExpr { coefficients: smallvec![0; names.len()], constant: 0 };
        let mut sign = if self.take(b'-') { -1 } else { 1 };
        loop {
            let offset = self.offset();
            let term = self.parse_term(names)?;
            if !add(&mut sum, &term, sign) {
                return self.fail_at(offset, "a coefficient overflows 64 bits");
            }
            sign = if self.take(b'+') {
                if self.take(b'-') { -1 } else { 1 }
            } else if self.take(b'-') {
                -1
            } else {
                return Ok(sum);
            };
        }
    }

    /// A product of factors of which at most one is not constant.
    fn parse_term(&mut self, names: &[&str]) -> ParseResult<LinearExpr> {
        let mut product = self.parse_factor(names)?;
        while self.at_punct(b'*') {
            self.advance();
            let offset = self.offset();
            let sign = if self.take(b'-') { -1 } else { 1 };
            let factor = self.parse_factor(names)?;
            let (scale, linear) = match (is_constant(&product), is_constant(&factor)) {
                (true, _) => (product.constant, factor),
                (_, true) => (factor.constant, product),
                _ => return self.fail_at(offset, "a product of two dimensions is not affine"),
            };
            product = LinearExpr { coefficients: smallvec![0; names.len()], constant: 0 };
            if scale.checked_mul(sign).is_none_or(|scale| !add(&mut product, &linear, scale)) {
                return self.fail_at(offset, "a coefficient overflows 64 bits");
            }
        }
        match self.text() {
            word @ ("mod" | "floordiv" | "ceildiv") if self.is(Kind::Bare) => {
                self.fail(format!("`{word}` in affine maps is not read: only linear results are"))
            }
            _ => Ok(product),
        }
    }

    fn parse_factor(&mut self, names: &[&str]) -> ParseResult<LinearExpr> {
        let mut factor = LinearExpr { coefficients: smallvec![0; names.len()], constant: 0 };
        match self.token.kind {
            Kind::Integer => factor.constant = self.parse_i64()?,
            Kind::Bare => match names.iter().position(|name| *name == self.text()) {
                Some(dim) => {
                    factor.coefficients[dim] = 1;
                    self.advance();
                }
                None => return self.unexpected("one of the map's dimensions"),
            },
            Kind::Punct(b'(') => {
                self.advance();
                factor = self.nested(|parser| parser.parse_linear(names))?;
                self.expect(b')')?;
            }
            _ => return self.unexpected("a dimension or an integer"),
        }
        Ok(factor)
    }
}

fn is_constant(expr: &LinearExpr) -> bool {
    expr.coefficients.iter().all(|coefficient| *coefficient == 0)
}

/// Adds `scale` times a term; false where that overflows.
fn add(sum: &mut LinearExpr, term: &LinearExpr, scale: i64) -> bool {
    let combine = |a: &mut i64, b: i64| match b.checked_mul(scale).and_then(|b| a.checked_add(b)) {
        Some(value) => {
            *a = value;
            true
        }
        None => false,
    };
    sum.coefficients.iter_mut().zip(&term.coefficients).all(|(a, b)| combine(a, *b))
        && combine(&mut sum.constant, term.constant)
}
