//! Operators that cost: windows, convolutions, products of matrices, recurrences.

use super::*;

impl Op<'_> {
    /// Sizes of the output of a window that slides over the last axes of the first input.
    pub(super) fn slid(&self, kernel: &[u64]) -> Result<Vec<u64>> {
        let space = self.input(0)?.dims.get(2..).unwrap_or_default();
        if space.is_empty() || space.len() != kernel.len() {
            return wrong("its kernel does not fit its input");
        }
        let n = space.len();
        let (strides, dilations, pads) = (self.ints("strides"), self.ints("dilations"), self.ints("pads"));
        let pick = |list: Option<&[i64]>, at: usize, default: i64| match list {
            None => Ok(default),
            Some(list) => list
                .get(at)
                .copied()
                .filter(|&v| (0..=1 << 31).contains(&v))
                .ok_or_else(|| Stop::Wrong("its attributes do not fit".to_owned())),
        };
        let mut out = Vec::with_capacity(n);
        for at in 0..n {
            let (stride, dilation) = (pick(strides, at, 1)?.max(1) as u64, pick(dilations, at, 1)?.max(1) as u64);
            if self.text("auto_pad").is_some_and(|pad| pad.starts_with("SAME")) {
                out.push(space[at].div_ceil(stride));
                continue;
            }
            let wide =
                kernel[at].saturating_sub(1).checked_mul(dilation).and_then(|w| w.checked_add(1)).ok_or(Stop::Large)?;
            let padded = (space[at]).saturating_add((pick(pads, at, 0)? + pick(pads, at + n, 0)?) as u64);
            let room = padded.checked_sub(wide).ok_or(Stop::Short)?;
            let room = if self.int("ceil_mode") == Some(1) { room.saturating_add(stride - 1) } else { room };
            out.push(room / stride + 1);
        }
        Ok(out)
    }

    pub(super) fn pool(&self) -> Result<Known> {
        let kernel = sizes(self.ints("kernel_shape").unwrap_or_default())?;
        let front = self.input(0)?.dims.get(..2).unwrap_or_default().to_vec();
        Ok(Known::shape([front, self.slid(&kernel)?].concat()))
    }

    pub(super) fn conv(&self) -> Result<Cost> {
        let (input, weight) = (self.input(0)?, self.input(1)?);
        let [filters, channels, kernel @ ..] = &weight.dims[..] else { return wrong("its weight has no kernel") };
        let batch = *input.dims.first().unwrap_or(&1);
        let out = [vec![batch, *filters], self.slid(kernel)?].concat();
        let each = product(kernel)?.saturating_mul(*channels).saturating_mul(2);
        let work = elements(&out).unwrap_or(u64::MAX).saturating_mul(each);
        Ok((vec![Known::shape(out)], work, bytes(input)))
    }

    pub(super) fn conv_transpose(&self) -> Result<Cost> {
        let (input, weight) = (self.input(0)?, self.input(1)?);
        let ([batch, _, space @ ..], [_, filters, kernel @ ..]) = (&input.dims[..], &weight.dims[..]) else {
            return wrong("its weight has no kernel");
        };
        let groups = u64::try_from(self.int("group").unwrap_or(1)).unwrap_or(1);
        let mut out = vec![*batch, filters.saturating_mul(groups)];
        for (at, (&size, &kernel)) in space.iter().zip(kernel).enumerate() {
            let pick =
                |name: &str, default: i64| self.ints(name).map_or(default, |list| *list.get(at).unwrap_or(&default));
            let (stride, dilation) =
                (pick("strides", 1).clamp(1, 1 << 31) as u64, pick("dilations", 1).clamp(1, 1 << 31) as u64);
            let extra = pick("output_padding", 0).clamp(0, 1 << 31) as u64;
            let wide = kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1).saturating_add(extra);
            let pads = self.ints("pads").map_or(0, |pads| {
                [at, at + space.len()]
                    .iter()
                    .filter_map(|&at| pads.get(at))
                    .map(|&pad| pad.clamp(0, 1 << 31) as u64)
                    .sum()
            });
            let full = size.saturating_sub(1).saturating_mul(stride).saturating_add(wide);
            out.push(full.checked_sub(pads).ok_or(Stop::Short)?);
        }
        let work = input.count().saturating_mul(product(kernel)?).saturating_mul(*filters).saturating_mul(2);
        let columns = product(kernel)?.saturating_mul(*filters).saturating_mul(product(space)?).saturating_mul(4);
        Ok((vec![Known::shape(out)], work, columns))
    }

    pub(super) fn matmul(&self) -> Result<Cost> {
        let (a, b) = (self.input(0)?, self.input(1)?);
        let (mut left, mut right) = (a.dims.clone(), b.dims.clone());
        let (vector, column) = (left.len() == 1, right.len() == 1);
        if vector {
            left.insert(0, 1);
        }
        if column {
            right.push(1);
        }
        let ([front @ .., rows, inner], [back @ .., other, columns]) = (&left[..], &right[..]) else {
            return wrong("it multiplies a scalar");
        };
        let batch = broadcast(&[front, back]).filter(|_| inner == other);
        let Some(mut out) = batch else {
            return wrong(format!("shapes {:?} and {:?} do not fit", a.dims, b.dims));
        };
        let work =
            [*rows, *columns, *inner, 2].iter().chain(&out).fold(1_u64, |product, &size| product.saturating_mul(size));
        if !vector {
            out.push(*rows);
        }
        if !column {
            out.push(*columns);
        }
        Ok((vec![Known::shape(out)], work, bytes(a).saturating_add(bytes(b))))
    }

    pub(super) fn gemm(&self) -> Result<Cost> {
        let (a, b) = (self.input(0)?, self.input(1)?);
        let turned = |known: &Known, name: &str| match (&known.dims[..], self.int(name)) {
            ([rows, columns], Some(1)) => Ok([*columns, *rows]),
            ([rows, columns], _) => Ok([*rows, *columns]),
            _ => wrong("its inputs are no matrices"),
        };
        let ([rows, inner], [other, columns]) = (turned(a, "transA")?, turned(b, "transB")?);
        if inner != other {
            return wrong(format!("shapes {:?} and {:?} do not fit", a.dims, b.dims));
        }
        let work = rows.saturating_mul(columns).saturating_mul(inner).saturating_mul(2);
        Ok((vec![Known::shape(vec![rows, columns])], work, bytes(a).saturating_add(bytes(b))))
    }

    pub(super) fn einsum(&self) -> Result<Cost> {
        let inputs: Vec<&Known> = (0..self.inputs.len()).map(|at| self.input(at)).collect::<Result<_>>()?;
        let shapes: Vec<&[u64]> = inputs.iter().map(|known| &known.dims[..]).collect();
        match einsum::shape(self.text("equation").unwrap_or_default(), &shapes) {
            Some((out, products)) => {
                let scratch = inputs.iter().fold(0_u64, |sum, known| sum.saturating_add(bytes(known)));
                Ok((vec![Known::shape(out)], products.saturating_mul(2), scratch))
            }
            None => wrong("its equation does not fit its inputs, or has an ellipsis"),
        }
    }

    /// `gates` is 4 for an LSTM and 3 for a GRU.
    pub(super) fn recurrent(&self, gates: u64) -> Result<Cost> {
        let (input, weight) = (self.input(0)?, self.input(2)?);
        let ([steps, batch, width], [directions, _, hidden]) = (&input.dims[..], &weight.dims[..]) else {
            return wrong("its inputs do not fit");
        };
        let state = Known::shape(vec![*directions, *batch, *hidden]);
        let out = Known::shape(vec![*steps, *directions, *batch, *hidden]);
        let each = hidden.saturating_mul(width.saturating_add(*hidden)).saturating_mul(2 * gates);
        let work = [*steps, *batch, *directions].iter().fold(each, |work, &size| work.saturating_mul(size));
        let scratch = out.count().saturating_mul(4 * gates);
        Ok((vec![out, state.clone(), state], work, scratch))
    }
}
