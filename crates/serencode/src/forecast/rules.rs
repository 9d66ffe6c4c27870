//! The shapes that each operator makes, and what it costs. An operator that is not here is not run.

mod heavy;
mod shapes;

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
