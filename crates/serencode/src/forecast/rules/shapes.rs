//! Operators that move values and make no new ones.

use super::*;

impl Op<'_> {
    /// The first input with another shape.
    pub(super) fn reshaped(&self, dims: Vec<u64>) -> Result<Known> {
        let known = self.input(0)?;
        if elements(&dims) != elements(&known.dims) {
            return wrong(format!("shape {:?} does not fit {dims:?}", known.dims));
        }
        Ok(Known::new(dims, known.integer, known.values.clone()))
    }

    pub(super) fn reshape(&self) -> Result<Known> {
        let (known, target) = (self.input(0)?, self.whole(1)?);
        let literal = self.int("allowzero") == Some(1);
        let mut dims = Vec::with_capacity(target.len());
        for (axis, &size) in target.iter().enumerate() {
            dims.push(match size {
                0 if !literal => {
                    *known.dims.get(axis).ok_or_else(|| Stop::Wrong("its shape does not fit".to_owned()))?
                }
                -1 => 1,
                size => u64::try_from(size).map_err(|_| Stop::Wrong("its shape has a negative size".to_owned()))?,
            });
        }
        if let Some(axis) = target.iter().position(|&size| size == -1) {
            let rest = product(&dims)?;
            if rest == 0 || known.count() % rest != 0 {
                return wrong(format!("shape {:?} does not fit {target:?}", known.dims));
            }
            dims[axis] = known.count() / rest;
        }
        self.reshaped(dims)
    }

    pub(super) fn concat(&self) -> Result<Known> {
        let inputs: Vec<&Known> = (0..self.inputs.len()).map(|at| self.input(at)).collect::<Result<_>>()?;
        let Some((first, rest)) = inputs.split_first() else { return wrong("it has no input") };
        let axis = resolve(self.int("axis").unwrap_or(0), first.dims.len())?;
        let mut dims = first.dims.clone();
        for known in rest {
            let fits = |(at, (a, b)): (usize, (&u64, &u64))| at == axis || a == b;
            if known.dims.len() != dims.len() || !dims.iter().zip(&known.dims).enumerate().all(fits) {
                return wrong(format!("shapes {dims:?} and {:?} do not fit", known.dims));
            }
            dims[axis] = dims[axis].checked_add(known.dims[axis]).ok_or(Stop::Large)?;
        }
        let values = inputs.iter().map(|known| known.values.clone()).collect::<Option<Vec<_>>>();
        Ok(Known::new(dims, first.integer, values.filter(|_| first.dims.len() == 1).map(|values| values.concat())))
    }

    pub(super) fn split(&self) -> Result<Vec<Known>> {
        let known = self.input(0)?;
        let axis = resolve(self.int("axis").unwrap_or(0), known.dims.len())?;
        let (size, parts) = (known.dims[axis], self.node.outputs.len() as u64);
        let pieces: Vec<u64> = match (self.optional(1), self.ints("split")) {
            (Some(_), _) => sizes(&self.whole(1)?)?,
            (None, Some(split)) => sizes(split)?,
            (None, None) => {
                let parts =
                    self.int("num_outputs").map_or(parts, |parts| u64::try_from(parts).unwrap_or(0)).clamp(1, 1 << 16);
                let piece = size.div_ceil(parts);
                (0..parts).map(|part| piece.min(size.saturating_sub(part * piece))).collect()
            }
        };
        if pieces.iter().try_fold(0_u64, |sum, &piece| sum.checked_add(piece)) != Some(size) {
            return wrong("its parts do not fit");
        }
        let mut start = 0;
        let mut part = |piece: u64| {
            let values = known.values.as_ref().filter(|_| known.dims.len() == 1);
            let values = values.and_then(|values| values.get(start..start + piece as usize)).map(<[f64]>::to_vec);
            start += piece as usize;
            let mut dims = known.dims.clone();
            dims[axis] = piece;
            Known::new(dims, known.integer, values)
        };
        Ok(pieces.into_iter().map(&mut part).collect())
    }

    pub(super) fn slice(&self) -> Result<Known> {
        let known = self.input(0)?;
        let rank = known.dims.len();
        let (starts, ends) = (self.whole(1)?, self.whole(2)?);
        let axes = match self.optional(3) {
            Some(_) => self.whole(3)?,
            None => (0..starts.len() as i64).collect(),
        };
        let steps = if self.optional(4).is_some() { self.whole(4)? } else { vec![1; starts.len()] };
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return wrong("its starts, ends, axes and steps differ in number");
        }
        let mut dims = known.dims.clone();
        // First place and step along each axis.
        let mut cuts = vec![(0, 1); rank];
        for (at, &step) in steps.iter().enumerate() {
            let axis = resolve(axes[at], rank)?;
            let size = i64::try_from(known.dims[axis]).map_err(|_| Stop::Large)?;
            let from_end = |value: i64| if value < 0 { value + size } else { value };
            let (start, end) = (from_end(starts[at]), from_end(ends[at]));
            let (start, count) = match step {
                0 => return wrong("a step is 0"),
                1.. => {
                    let (start, end) = (start.clamp(0, size), end.clamp(0, size));
                    (start, (end - start + step - 1) / step)
                }
                _ => {
                    let (start, end) = (start.clamp(-1, size - 1), end.clamp(-1, size - 1));
                    (start, (start - end - step - 1) / -step)
                }
            };
            (dims[axis], cuts[axis]) = (count.max(0) as u64, (start, step));
        }
        let values = rearranged(known, &dims, |place| {
            let along = |(&at, &(start, step)): (&u64, &(i64, i64))| u64::try_from(start + at as i64 * step).ok();
            place.iter().zip(&cuts).map(along).collect()
        });
        Ok(Known::new(dims, known.integer, values))
    }

    pub(super) fn gather(&self) -> Result<Known> {
        let (data, indices) = (self.input(0)?, self.input(1)?);
        let axis = resolve(self.int("axis").unwrap_or(0), data.dims.len())?;
        let dims = [&data.dims[..axis], &indices.dims, &data.dims[axis + 1..]].concat();
        let values = match (&data.values, indices.whole(), data.dims.len()) {
            (Some(values), Some(whole), 1) => {
                let pick = |&index: &i64| {
                    let index = if index < 0 { index + values.len() as i64 } else { index };
                    usize::try_from(index).ok().and_then(|index| values.get(index).copied())
                };
                whole.iter().map(pick).collect()
            }
            _ => None,
        };
        Ok(Known::new(dims, data.integer, values))
    }

    pub(super) fn range(&self) -> Result<Known> {
        let value = |at: usize| {
            let known = self.input(at)?;
            known
                .values
                .as_ref()
                .and_then(|values| values.first().copied())
                .ok_or_else(|| Stop::Wrong(UNFORESEEN.to_owned()))
        };
        let (start, limit, step) = (value(0)?, value(1)?, value(2)?);
        let count = ((limit - start) / step).ceil().max(0.0);
        if !count.is_finite() || count > limits::VECTOR as f64 {
            return Err(Stop::Large);
        }
        let values =
            (count <= limits::VALUES as f64).then(|| (0..count as u64).map(|k| start + k as f64 * step).collect());
        Ok(Known::new(vec![count as u64], self.input(0)?.integer, values))
    }

    pub(super) fn pad(&self) -> Result<Known> {
        let known = self.input(0)?;
        let rank = known.dims.len();
        let pads = match (self.optional(1), self.ints("pads")) {
            (None, Some(pads)) => pads.to_vec(),
            _ => self.whole(1)?,
        };
        let axes =
            if self.optional(3).is_some() { self.axes(3, rank)?.unwrap_or_default() } else { (0..rank).collect() };
        if pads.len() != 2 * axes.len() {
            return wrong("its pads do not fit");
        }
        let mut dims = known.dims.clone();
        for (at, &axis) in axes.iter().enumerate() {
            let size = i64::try_from(dims[axis])
                .ok()
                .and_then(|size| size.checked_add(pads[at])?.checked_add(pads[at + axes.len()]));
            dims[axis] = u64::try_from(size.ok_or(Stop::Large)?).map_err(|_| Stop::Short)?;
        }
        Ok(Known::new(dims, known.integer, None))
    }
}
