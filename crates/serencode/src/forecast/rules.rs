//! The shapes that each operator makes, and what it costs. An operator that is not here is not run.

use super::einsum;
use super::tensor::{Known, broadcast, rearranged, spread};
use crate::limits;
use crate::proto::{BOOL, DOUBLE, FLOAT, Node, elements, is_integer};

/// What an operator makes.
pub(super) struct Made {
    pub outputs: Vec<Option<Known>>,
    pub operations: u64,
    /// Bytes that it needs while it runs, beside inputs and outputs.
    pub scratch: u64,
}

/// Why it makes nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its window is wider than its input.
    Short,
    /// It would make more than there can be.
    Large,
    /// Anything else.
    Wrong(String),
}

type Result<T> = std::result::Result<T, Stop>;

fn wrong<T>(what: impl Into<String>) -> Result<T> {
    Err(Stop::Wrong(what.into()))
}

const UNFORESEEN: &str = "the size of its output depends on the recording and cannot be foreseen";

struct Op<'a> {
    node: &'a Node,
    inputs: &'a [Option<&'a Known>],
}

/// Applies the rule of an operator.
pub(super) fn apply(node: &Node, inputs: &[Option<&Known>]) -> Result<Made> {
    let op = Op { node, inputs };
    if !matches!(node.domain.as_str(), "" | "ai.onnx") && !microsoft(node) {
        return wrong(format!(
            "operators of the domain `{}` are not supported; export without --optimize",
            node.domain
        ));
    }
    let (outputs, operations, scratch) = match node.op.as_str() {
        "MatMul" | "MatMulInteger" => op.matmul()?,
        "Gemm" => op.gemm()?,
        "Conv" | "ConvInteger" => op.conv()?,
        "ConvTranspose" => op.conv_transpose()?,
        "Einsum" => op.einsum()?,
        "LSTM" => op.recurrent(4)?,
        "GRU" => op.recurrent(3)?,
        _ => {
            let outputs = op.plain()?;
            let mut work = 0_u64;
            for known in outputs.iter().chain(inputs.iter().flatten().copied()) {
                work = work.saturating_add(known.count());
            }
            (outputs, work, 0)
        }
    };
    Ok(Made { outputs: outputs.into_iter().map(Some).collect(), operations, scratch })
}

/// ONNX Runtime's own operators with the shape of their first input.
fn microsoft(node: &Node) -> bool {
    const SAME: [&str; 5] = ["BiasGelu", "FastGelu", "Gelu", "QuickGelu", "SkipLayerNormalization"];
    node.domain == "com.microsoft" && SAME.contains(&node.op.as_str())
}

type Cost = (Vec<Known>, u64, u64);

impl Op<'_> {
    fn input(&self, at: usize) -> Result<&Known> {
        self.optional(at).ok_or_else(|| Stop::Wrong(format!("input {at} is not there")))
    }

    fn optional(&self, at: usize) -> Option<&Known> {
        self.inputs.get(at).copied().flatten()
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.node.attributes.iter().find(|a| a.name == name).and_then(|a| a.int)
    }

    fn ints(&self, name: &str) -> Option<&[i64]> {
        self.node.attributes.iter().find(|a| a.name == name).map(|a| &a.ints[..])
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.node.attributes.iter().find(|a| a.name == name).and_then(|a| a.text.as_deref())
    }

    /// Values of an input that say a shape.
    fn whole(&self, at: usize) -> Result<Vec<i64>> {
        self.input(at)?.whole().ok_or_else(|| Stop::Wrong(UNFORESEEN.to_owned()))
    }

    /// Axes from an input, or from an attribute in older files; none where neither is there.
    fn axes(&self, at: usize, rank: usize) -> Result<Option<Vec<usize>>> {
        let axes = match (self.optional(at), self.ints("axes")) {
            (Some(_), _) => self.whole(at)?,
            (None, Some(axes)) => axes.to_vec(),
            (None, None) => return Ok(None),
        };
        axes.into_iter().map(|axis| resolve(axis, rank)).collect::<Result<_>>().map(Some)
    }

    /// Operators that compute next to nothing for each element.
    fn plain(&self) -> Result<Vec<Known>> {
        let first = || self.input(0);
        Ok(vec![match self.node.op.as_str() {
            "Abs" | "Neg" | "Floor" | "Ceil" | "Round" | "Sqrt" | "Not" | "Identity" | "Sign" | "Cast" => {
                self.unary()?
            }
            "Acos"
            | "Acosh"
            | "Asin"
            | "Asinh"
            | "Atan"
            | "Atanh"
            | "BatchNormalization"
            | "BiasGelu"
            | "CastLike"
            | "Clip"
            | "Cos"
            | "Cosh"
            | "CumSum"
            | "Dropout"
            | "Elu"
            | "Erf"
            | "Exp"
            | "FastGelu"
            | "Gelu"
            | "HardSigmoid"
            | "HardSwish"
            | "InstanceNormalization"
            | "IsInf"
            | "IsNaN"
            | "LayerNormalization"
            | "LeakyRelu"
            | "Log"
            | "LogSoftmax"
            | "LpNormalization"
            | "QuickGelu"
            | "RMSNormalization"
            | "Reciprocal"
            | "Relu"
            | "Scatter"
            | "ScatterElements"
            | "ScatterND"
            | "Sigmoid"
            | "SimplifiedLayerNormalization"
            | "Sin"
            | "Sinh"
            | "SkipLayerNormalization"
            | "Softmax"
            | "Softplus"
            | "Softsign"
            | "Swish"
            | "Tan"
            | "Tanh"
            | "Trilu"
            | "QuantizeLinear"
            | "DequantizeLinear"
            | "EyeLike" => Known { integer: first()?.integer, ..Known::shape(first()?.dims.clone()) },
            "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" | "Min" | "Max" | "And" | "Or" | "Xor" | "Equal" | "Less"
            | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "Sum" | "Mean" | "PRelu" | "Where" => {
                self.elementwise()?
            }
            "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMax" | "ReduceMean" | "ReduceMin"
            | "ReduceProd" | "ReduceSum" | "ReduceSumSquare" => self.reduce()?,
            "ArgMax" | "ArgMin" => {
                let mut dims = first()?.dims.clone();
                let axis = resolve(self.int("axis").unwrap_or(0), dims.len())?;
                match self.int("keepdims") {
                    Some(0) => drop(dims.remove(axis)),
                    _ => dims[axis] = 1,
                }
                Known::new(dims, true, None)
            }
            "Shape" => {
                let dims = &first()?.dims;
                let at = |value: i64| {
                    (if value < 0 { value + dims.len() as i64 } else { value }).clamp(0, dims.len() as i64) as usize
                };
                let (start, end) = (at(self.int("start").unwrap_or(0)), at(self.int("end").unwrap_or(i64::MAX)));
                Known::integers(dims[start..end.max(start)].iter().map(|&dim| dim as f64).collect())
            }
            "Size" => Known::new(vec![], true, Some(vec![first()?.count() as f64])),
            "Reshape" => self.reshape()?,
            "Flatten" => {
                let dims = &first()?.dims;
                let axis = self.int("axis").unwrap_or(1);
                let axis = if axis == dims.len() as i64 { dims.len() } else { resolve(axis, dims.len())? };
                self.reshaped(vec![product(&dims[..axis])?, product(&dims[axis..])?])?
            }
            "Squeeze" => {
                let dims = &first()?.dims;
                let axes = match self.axes(1, dims.len())? {
                    Some(axes) => axes,
                    None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect(),
                };
                if axes.iter().any(|&axis| dims[axis] != 1) {
                    return wrong(format!("it squeezes an axis of {dims:?} that is not 1"));
                }
                self.reshaped((0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect())?
            }
            "Unsqueeze" => {
                let mut dims = first()?.dims.clone();
                let count =
                    self.optional(1).map(Known::count).or(self.ints("axes").map(|axes| axes.len() as u64)).unwrap_or(0);
                let rank = dims.len() + usize::try_from(count).unwrap_or(limits::RANK).min(limits::RANK);
                let mut axes = self.axes(1, rank)?.unwrap_or_default();
                axes.sort_unstable();
                for axis in axes {
                    if axis > dims.len() {
                        return wrong("its axes do not fit");
                    }
                    dims.insert(axis, 1);
                }
                self.reshaped(dims)?
            }
            "Transpose" => {
                let known = first()?;
                let rank = known.dims.len();
                let perm: Vec<usize> = match self.ints("perm") {
                    Some(perm) => perm.iter().map(|&axis| resolve(axis, rank)).collect::<Result<_>>()?,
                    None => (0..rank).rev().collect(),
                };
                let dims: Vec<u64> = perm.iter().map(|&axis| known.dims[axis]).collect();
                if perm.len() != rank || (0..rank).any(|axis| !perm.contains(&axis)) {
                    return wrong("its axes do not fit");
                }
                let values = rearranged(known, &dims, |place| {
                    Some((0..rank).map(|axis| perm.iter().position(|&p| p == axis).map_or(0, |at| place[at])).collect())
                });
                Known::new(dims, known.integer, values)
            }
            "Concat" => self.concat()?,
            "Split" => return self.split(),
            "Slice" => self.slice()?,
            "Gather" => self.gather()?,
            "GatherElements" => Known { integer: first()?.integer, ..Known::shape(self.input(1)?.dims.clone()) },
            "GatherND" => {
                let (data, indices) = (&first()?.dims, &self.input(1)?.dims);
                let batch = usize::try_from(self.int("batch_dims").unwrap_or(0)).unwrap_or(usize::MAX);
                let Some((&last, front)) = indices.split_last() else { return wrong("its indices have no axis") };
                let from = usize::try_from(last).ok().and_then(|last| last.checked_add(batch));
                let Some(rest) = from.and_then(|from| data.get(from..)) else { return wrong("its indices do not fit") };
                Known { integer: first()?.integer, ..Known::shape([front, rest].concat()) }
            }
            "Expand" => {
                let target = sizes(&self.whole(1)?)?;
                let Some(dims) = broadcast(&[&first()?.dims, &target]) else { return wrong("its shapes do not fit") };
                let values = spread(first()?, &dims);
                Known::new(dims, first()?.integer, values)
            }
            "Tile" => {
                let (known, repeats) = (first()?, sizes(&self.whole(1)?)?);
                let Some(dims) =
                    known.dims.iter().zip(&repeats).map(|(a, b)| a.checked_mul(*b)).collect::<Option<Vec<_>>>()
                else {
                    return Err(Stop::Large);
                };
                let values = match (&known.values, &dims[..], &repeats[..]) {
                    (Some(values), [count], [_]) if *count <= limits::VALUES => {
                        Some(values.iter().copied().cycle().take(*count as usize).collect())
                    }
                    _ => None,
                };
                Known::new(dims, known.integer, values)
            }
            "Range" => self.range()?,
            "ConstantOfShape" => {
                let dims = sizes(&self.whole(0)?)?;
                let value = self.node.attributes.iter().find_map(|a| a.tensor.as_ref());
                let element = value.map_or(FLOAT, |value| value.element);
                let value = value.map_or(Some(0.0), |value| value.values.as_ref()?.first().copied());
                let count = elements(&dims).filter(|&count| count <= limits::VALUES);
                let values = value.zip(count).map(|(value, count)| vec![value; count as usize]);
                Known::new(dims, is_integer(element), values)
            }
            "Pad" => self.pad()?,
            "OneHot" => {
                let (mut dims, depth) = (first()?.dims.clone(), self.whole(1)?);
                let axis = resolve(self.int("axis").unwrap_or(-1), dims.len() + 1)?;
                dims.insert(axis, *sizes(&depth)?.first().unwrap_or(&0));
                Known::shape(dims)
            }
            "TopK" => {
                let mut dims = first()?.dims.clone();
                let axis = resolve(self.int("axis").unwrap_or(-1), dims.len())?;
                dims[axis] = *sizes(&self.whole(1)?)?.first().unwrap_or(&0);
                return Ok(vec![Known::shape(dims.clone()), Known::new(dims, true, None)]);
            }
            "DynamicQuantizeLinear" => {
                let scalar = Known::shape(vec![]);
                return Ok(vec![Known::new(first()?.dims.clone(), true, None), scalar.clone(), scalar]);
            }
            "MaxPool" | "AveragePool" => self.pool()?,
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let dims = first()?.dims.iter().enumerate();
                Known::shape(dims.map(|(axis, &dim)| if axis < 2 { dim } else { 1 }).collect())
            }
            "NonZero" | "NonMaxSuppression" => return wrong(UNFORESEEN),
            _ => return wrong("the operator is not supported"),
        }])
    }

    fn unary(&self) -> Result<Known> {
        let known = self.input(0)?;
        let to = self.int("to").and_then(|to| u64::try_from(to).ok());
        let integer = if self.node.op == "Cast" { is_integer(to.unwrap_or(DOUBLE)) } else { known.integer };
        let apply = |&value: &f64| match self.node.op.as_str() {
            "Abs" => value.abs(),
            "Neg" => -value,
            "Floor" => value.floor(),
            "Ceil" => value.ceil(),
            "Round" => value.round_ties_even(),
            "Sqrt" => value.sqrt(),
            "Sign" => f64::from(u8::from(value > 0.0)) - f64::from(u8::from(value < 0.0)),
            "Not" => f64::from(u8::from(value == 0.0)),
            "Cast" if to == Some(BOOL) => f64::from(u8::from(value != 0.0)),
            "Cast" if integer => value.trunc(),
            _ => value,
        };
        Ok(Known::new(
            known.dims.clone(),
            integer,
            known.values.as_ref().map(|values| values.iter().map(apply).collect()),
        ))
    }

    fn elementwise(&self) -> Result<Known> {
        let inputs: Vec<&Known> = (0..self.inputs.len()).map(|at| self.input(at)).collect::<Result<_>>()?;
        let shapes: Vec<&[u64]> = inputs.iter().map(|known| &known.dims[..]).collect();
        let Some(dims) = broadcast(&shapes) else {
            return wrong(format!("shapes {shapes:?} do not fit"));
        };
        let op = self.node.op.as_str();
        let answer =
            matches!(op, "And" | "Or" | "Xor" | "Equal" | "Less" | "Greater" | "LessOrEqual" | "GreaterOrEqual");
        let integer = answer || inputs.last().is_some_and(|known| known.integer);
        let values = inputs.iter().map(|known| spread(known, &dims)).collect::<Option<Vec<_>>>();
        let values = values.and_then(|values| match &values[..] {
            [a, b] => a.iter().zip(b).map(|(&a, &b)| binary(op, integer, a, b)).collect(),
            [c, a, b] if op == "Where" => {
                Some(c.iter().zip(a.iter().zip(b)).map(|(&c, (&a, &b))| if c != 0.0 { a } else { b }).collect())
            }
            _ => None,
        });
        Ok(Known::new(dims, integer, values))
    }

    fn reduce(&self) -> Result<Known> {
        let known = self.input(0)?;
        let rank = known.dims.len();
        let axes = self.axes(1, rank)?.unwrap_or_default();
        if axes.is_empty() && self.int("noop_with_empty_axes") == Some(1) {
            return Ok(known.clone());
        }
        let reduced = |axis: &usize| axes.is_empty() || axes.contains(axis);
        let keep = self.int("keepdims") != Some(0);
        let dims = (0..rank)
            .filter(|axis| keep || !reduced(axis))
            .map(|axis| if reduced(&axis) { 1 } else { known.dims[axis] });
        let whole = rank < 2 && (rank == 0 || reduced(&0));
        let values = known.values.as_ref().filter(|values| whole && !values.is_empty());
        let value = values.and_then(|values| match self.node.op.as_str() {
            "ReduceSum" => Some(values.iter().sum()),
            "ReduceProd" => Some(values.iter().product()),
            "ReduceMax" => values.iter().copied().reduce(f64::max),
            "ReduceMin" => values.iter().copied().reduce(f64::min),
            _ => None,
        });
        Ok(Known::new(dims.collect(), known.integer, value.map(|value: f64| vec![value])))
    }

    /// The first input with another shape.
    fn reshaped(&self, dims: Vec<u64>) -> Result<Known> {
        let known = self.input(0)?;
        if elements(&dims) != elements(&known.dims) {
            return wrong(format!("shape {:?} does not fit {dims:?}", known.dims));
        }
        Ok(Known::new(dims, known.integer, known.values.clone()))
    }

    fn reshape(&self) -> Result<Known> {
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

    fn concat(&self) -> Result<Known> {
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

    fn split(&self) -> Result<Vec<Known>> {
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

    fn slice(&self) -> Result<Known> {
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

    fn gather(&self) -> Result<Known> {
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

    fn range(&self) -> Result<Known> {
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

    fn pad(&self) -> Result<Known> {
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

    /// Sizes of the output of a window that slides over the last axes of the first input.
    fn slid(&self, kernel: &[u64]) -> Result<Vec<u64>> {
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

    fn pool(&self) -> Result<Known> {
        let kernel = sizes(self.ints("kernel_shape").unwrap_or_default())?;
        let front = self.input(0)?.dims.get(..2).unwrap_or_default().to_vec();
        Ok(Known::shape([front, self.slid(&kernel)?].concat()))
    }

    fn conv(&self) -> Result<Cost> {
        let (input, weight) = (self.input(0)?, self.input(1)?);
        let [filters, channels, kernel @ ..] = &weight.dims[..] else { return wrong("its weight has no kernel") };
        let batch = *input.dims.first().unwrap_or(&1);
        let out = [vec![batch, *filters], self.slid(kernel)?].concat();
        let each = product(kernel)?.saturating_mul(*channels).saturating_mul(2);
        let work = elements(&out).unwrap_or(u64::MAX).saturating_mul(each);
        Ok((vec![Known::shape(out)], work, bytes(input)))
    }

    fn conv_transpose(&self) -> Result<Cost> {
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

    fn matmul(&self) -> Result<Cost> {
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

    fn gemm(&self) -> Result<Cost> {
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

    fn einsum(&self) -> Result<Cost> {
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
    fn recurrent(&self, gates: u64) -> Result<Cost> {
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

fn binary(op: &str, integer: bool, a: f64, b: f64) -> Option<f64> {
    let truth = |answer: bool| f64::from(u8::from(answer));
    Some(match op {
        "Add" | "Sum" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" if integer && b == 0.0 => return None,
        "Div" if integer => (a / b).trunc(),
        "Div" => a / b,
        "Mod" if integer && b != 0.0 => {
            a.rem_euclid(b.abs()) + if b < 0.0 && a.rem_euclid(b.abs()) != 0.0 { b } else { 0.0 }
        }
        "Pow" => a.powf(b),
        "Min" => a.min(b),
        "Max" => a.max(b),
        "And" => truth(a != 0.0 && b != 0.0),
        "Or" => truth(a != 0.0 || b != 0.0),
        "Xor" => truth((a != 0.0) != (b != 0.0)),
        "Equal" => truth(a == b),
        "Less" => truth(a < b),
        "Greater" => truth(a > b),
        "LessOrEqual" => truth(a <= b),
        "GreaterOrEqual" => truth(a >= b),
        _ => return None,
    })
}

/// An axis, counted from the end where it is negative.
fn resolve(axis: i64, rank: usize) -> Result<usize> {
    let index = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    match index.and_then(|index| usize::try_from(index).ok()) {
        Some(index) if index < rank => Ok(index),
        _ => wrong(format!("axis {axis} of {rank} axes is not there")),
    }
}

fn sizes(values: &[i64]) -> Result<Vec<u64>> {
    let size = |&value: &i64| u64::try_from(value).map_err(|_| Stop::Wrong("a size is negative".to_owned()));
    values.iter().map(size).collect()
}

fn product(dims: &[u64]) -> Result<u64> {
    elements(dims).ok_or(Stop::Large)
}

fn bytes(known: &Known) -> u64 {
    known.count().saturating_mul(4)
}
