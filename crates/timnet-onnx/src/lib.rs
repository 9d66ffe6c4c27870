#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod onnx;
mod protobuf;

use std::collections::BTreeMap;

use onnx::{Attribute, Dim, Graph};
use serengine::{Range, Weights, WeightsError, first_not_finite};
use timnet_core::{ModelConfig, Places, SubBlock, Variant};

/// The ONNX file of a trained network: `mfcc` [batch, frames, coefficients] to `probabilities` [batch, classes], both
/// float32. Logits are divided by `temperature` before the softmax; `metadata` goes into the file as it is.
///
/// # Errors
/// See [`ExportError`].
pub fn export(
    weights: &Weights,
    temperature: f64,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, ExportError> {
    let config: ModelConfig = weights.settings()?;
    weights.check()?;
    let sharpness = (1.0 / temperature) as f32;
    if !(temperature > 0.0 && sharpness.is_normal()) {
        return Err(ExportError::Temperature(temperature));
    }
    let mut net = Net { weights, config: &config, places: Places::of(&config), graph: Graph::default() };
    let input = net.graph.node("Transpose", "channels", &["mfcc"], &[("perm", Attribute::Ints(&[0, 2, 1]))]);
    let mut streams = net.stems(&input);
    let mut scales = Vec::new();
    for j in 0..config.blocks {
        for (direction, stream) in streams.iter_mut().enumerate() {
            *stream = net.block(j, direction, stream)?;
        }
        // The variants that use the last block alone need no other's feature.
        if config.has_fusion() || config.variant == Variant::NoDf || j + 1 == config.blocks {
            scales.push(net.pool(j, &streams));
        }
    }
    let embedding = net.fuse(&scales);
    let values = &weights.parameters;
    let head = net.graph.floats("head.weight", &[config.classes, config.filters], &values[net.places.head.all()]);
    let bias = net.graph.floats("head.bias", &[config.classes], &values[net.places.head_bias.all()]);
    let gemm =
        [("transB", Attribute::Int(1)), ("alpha", Attribute::Float(sharpness)), ("beta", Attribute::Float(sharpness))];
    let logits = net.graph.node("Gemm", "logits", &[&embedding, &head, &bias], &gemm);
    net.graph.node("Softmax", "probabilities", &[&logits], &[("axis", Attribute::Int(-1))]);
    let (batch, frames) = (|| Dim::Free("batch"), Dim::Free("frames"));
    let mfcc = [batch(), frames, Dim::Fixed(config.coefficients)];
    let probabilities = [batch(), Dim::Fixed(config.classes)];
    Ok(net.graph.finish(("mfcc", &mfcc), ("probabilities", &probabilities), metadata))
}

/// Why a network can't be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Weights that do not fit their configuration or are not finite.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A temperature that makes no probabilities.
    #[error("the temperature is {0}; it must be a finite number above 0, 1 for a network that is not calibrated")]
    Temperature(f64),
    /// A kernel or bias that BatchNorm scales beyond single precision.
    #[error("`{name}` times its BatchNorm's scale is {value}: these weights are too large for single precision")]
    Overflow {
        /// The constant in the graph.
        name: String,
        /// The value.
        value: f32,
    },
}

struct Net<'a> {
    weights: &'a Weights,
    config: &'a ModelConfig,
    places: Places,
    graph: Graph,
}

const DIRECTIONS: [&str; 2] = ["forward", "backward"];

impl Net<'_> {
    /// The 1x1 convolution of each direction, where there is one.
    fn stems(&mut self, input: &str) -> Vec<String> {
        let Self { weights, config, places, graph } = self;
        let (inputs, f) = (config.coefficients, config.filters);
        if places.stems.is_empty() {
            return vec![input.to_owned()];
        }
        let stems = places.stems.iter().zip(DIRECTIONS).map(|((kernel, bias), name)| {
            let kernel =
                graph.floats(format!("{name}.stem.weight"), &[f, inputs, 1], &weights.parameters[kernel.all()]);
            let bias = graph.floats(format!("{name}.stem.bias"), &[f], &weights.parameters[bias.all()]);
            graph.node("Conv", format!("{name}.stem"), &[input, &kernel, &bias], &[])
        });
        stems.collect()
    }

    /// Block j: F sigmoid(h), or relu(F + h) in the TCN.
    fn block(&mut self, j: usize, direction: usize, input: &str) -> Result<String, ExportError> {
        let name = format!("{}.{}", DIRECTIONS[direction], j + 1);
        let [a, b] = self.places.blocks[j][direction];
        let h = self.sub_block(&a, j, direction, &format!("{name}.a"), input)?;
        let h = self.sub_block(&b, j, direction, &format!("{name}.b"), &h)?;
        let graph = &mut self.graph;
        if !self.config.has_gate() {
            let sum = graph.node("Add", format!("{name}.sum"), &[&h, input], &[]);
            return Ok(graph.node("Relu", format!("{name}.out"), &[&sum], &[]));
        }
        let gate = graph.node("Sigmoid", format!("{name}.gate"), &[&h], &[]);
        Ok(graph.node("Mul", format!("{name}.out"), &[input, &gate], &[]))
    }

    /// Convolution with its BatchNorm folded in, and ReLU. Backwards in time is a convolution that looks `dilation`
    /// frames ahead, with its taps in the other order.
    fn sub_block(
        &mut self,
        place: &SubBlock,
        j: usize,
        direction: usize,
        name: &str,
        input: &str,
    ) -> Result<String, ExportError> {
        let Self { weights, config, graph, .. } = self;
        let (values, c) = (&weights.parameters, config.filters);
        let of = |range: Range| &values[range.all()];
        let mean = &weights.statistics[place.running_mean.all()];
        let variance = &weights.statistics[place.running_var.all()];
        let scale =
            |o: usize| f64::from(of(place.gamma)[o]) / (f64::from(variance[o]) + ModelConfig::BATCH_NORM_EPS).sqrt();
        let backward = direction == 1;
        // [out, in, tap]
        let taps = config.kernel_size;
        let tap = |i: usize| of(place.kernel)[if backward { i - i % taps + (taps - 1 - i % taps) } else { i }];
        let kernel: Vec<f32> = (0..taps * c * c).map(|i| (f64::from(tap(i)) * scale(i / (taps * c))) as f32).collect();
        let bias = |o: usize| (f64::from(of(place.bias)[o]) - f64::from(mean[o])) * scale(o);
        let bias: Vec<f32> = (0..c).map(|o| (bias(o) + f64::from(of(place.beta)[o])) as f32).collect();
        for (part, values) in [("weight", &kernel), ("bias", &bias)] {
            if let Some(i) = first_not_finite(values) {
                return Err(ExportError::Overflow { name: format!("{name}.{part}"), value: values[i] });
            }
        }
        let kernel = graph.floats(format!("{name}.weight"), &[c, c, taps], &kernel);
        let bias = graph.floats(format!("{name}.bias"), &[c], &bias);
        let dilation = config.dilation(j) as i64;
        let before = (taps as i64 - 1) * dilation;
        let pads = if backward { [0, before] } else { [before, 0] };
        let attributes = [("dilations", Attribute::Ints(&[dilation][..])), ("pads", Attribute::Ints(&pads[..]))];
        let y = graph.node("Conv", format!("{name}.conv"), &[input, &kernel, &bias], &attributes);
        Ok(graph.node("Relu", format!("{name}.relu"), &[&y], &[]))
    }

    /// g_j: the mean over time of the directions' sum, or a TCN's last frame; [batch, filters].
    fn pool(&mut self, j: usize, streams: &[String]) -> String {
        let name = format!("scale.{}", j + 1);
        let graph = &mut self.graph;
        if self.config.takes_last() {
            let last = graph.index("last", -1);
            return graph.node("Gather", name, &[&streams[0], &last], &[("axis", Attribute::Int(2))]);
        }
        let both = match streams {
            [forward, backward] => graph.node("Add", format!("{name}.both"), &[forward, backward], &[]),
            _ => streams[0].clone(),
        };
        graph.node("ReduceMean", name, &[&both], &[("axes", Attribute::Ints(&[2])), ("keepdims", Attribute::Int(0))])
    }

    /// g_drf of the features that count.
    fn fuse(&mut self, scales: &[String]) -> String {
        let Self { weights, places, graph, .. } = self;
        let n = scales.len();
        let shares = match places.fusion {
            Some(range) => weights.parameters[range.all()].to_vec(),
            None => vec![1.0 / n as f32; n],
        };
        let weighted: Vec<String> = (1..)
            .zip(scales.iter().zip(shares))
            .map(|(j, (scale, share))| {
                let share = graph.floats(format!("fusion.{j}"), &[], &[share]);
                graph.node("Mul", format!("weighted.{j}"), &[scale, &share], &[])
            })
            .collect();
        let weighted: Vec<&str> = weighted.iter().map(String::as_str).collect();
        graph.node("Sum", "g_drf", &weighted, &[])
    }
}
