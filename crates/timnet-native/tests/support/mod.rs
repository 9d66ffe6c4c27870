//! The network once more, in f64 and one value at a time on a tape of derivatives: slow, and independent of the engine's
//! hand-derived gradients.
#![allow(dead_code, clippy::unwrap_used, clippy::needless_range_loop)]

use std::{path::PathBuf, sync::Arc};

use safetensors::SafeTensors;
use serengine::{Objective, Range, Settings, Tensor, Weights};
use timnet_core::{ModelConfig, Places, Variant};

/// Every value computed, with its derivative in each of its arguments.
#[derive(Default)]
pub struct Tape {
    values: Vec<f64>,
    arguments: Vec<Vec<(usize, f64)>>,
}

impl Tape {
    fn push(&mut self, value: f64, arguments: Vec<(usize, f64)>) -> usize {
        self.values.push(value);
        self.arguments.push(arguments);
        self.values.len() - 1
    }

    fn relu(&mut self, a: usize, factor: f64, kink: &mut f64) -> usize {
        *kink = kink.min(self.values[a].abs());
        self.map(a, |v| if v > 0.0 { (v * factor, factor) } else { (0.0, 0.0) })
    }

    fn leaf(&mut self, value: f64) -> usize {
        self.push(value, Vec::new())
    }

    fn map(&mut self, a: usize, f: impl Fn(f64) -> (f64, f64)) -> usize {
        let (value, slope) = f(self.values[a]);
        self.push(value, vec![(a, slope)])
    }

    /// sum of a_k b_k
    fn dot(&mut self, pairs: &[(usize, usize)]) -> usize {
        let value = pairs.iter().map(|&(a, b)| self.values[a] * self.values[b]).sum();
        let arguments = pairs.iter().flat_map(|&(a, b)| [(a, self.values[b]), (b, self.values[a])]).collect();
        self.push(value, arguments)
    }

    /// sum of a_k times a constant
    fn sum(&mut self, terms: &[usize], factor: f64) -> usize {
        let value = terms.iter().map(|&a| self.values[a]).sum::<f64>() * factor;
        self.push(value, terms.iter().map(|&a| (a, factor)).collect())
    }

    /// d of / d every value
    pub fn gradient(&self, of: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.values.len()];
        out[of] = 1.0;
        for i in (0..=of).rev() {
            for &(a, slope) in &self.arguments[i] {
                out[a] += slope * out[i];
            }
        }
        out
    }
}

pub struct Naive {
    pub loss: f64,
    /// Of every trainable parameter.
    pub gradient: Vec<f64>,
    /// [batch][classes]
    pub logits: Vec<Vec<f64>>,
    /// The smallest argument that any ReLU saw, by magnitude: nearer to zero than rounding, its slope is anyone's guess.
    pub kink: f64,
}

/// BatchNorm on the batch's statistics, or on the running ones given.
pub enum Mode<'a> {
    Train { dropout: &'a [f32] },
    Infer { statistics: &'a [f32] },
}

/// The mean weighted and label-smoothed cross entropy of utterances of [frames, coefficients].
pub fn naive(
    config: &ModelConfig,
    parameters: &[f64],
    x: &[&[f32]],
    labels: &[usize],
    objective: &Objective,
    mode: &Mode,
) -> Naive {
    let (places, inputs, c, batch) = (Places::of(config), config.coefficients, config.filters, x.len());
    let frames = x[0].len() / inputs;
    let mut t = Tape::default();
    let mut kink = f64::INFINITY;
    // The first nodes are the parameters, so that a Range is a range of nodes.
    parameters.iter().for_each(|&p| _ = t.leaf(p));
    let one = t.leaf(1.0);
    let at = |r: Range, i: usize| r.start + i;
    let mut pooled = vec![vec![Vec::new(); batch * c]; config.blocks];
    for direction in 0..config.directions() {
        // [batch][frame][channel]
        let mut f: Vec<Vec<Vec<usize>>> = x
            .iter()
            .map(|x| {
                let mut rows: Vec<&[f32]> = x.chunks(inputs).collect();
                if direction == 1 {
                    rows.reverse();
                }
                rows.into_iter().map(|row| row.iter().map(|&v| t.leaf(f64::from(v))).collect()).collect()
            })
            .collect();
        if let Some(&(kernel, bias)) = places.stems.get(direction) {
            for row in f.iter_mut().flatten() {
                *row = (0..c)
                    .map(|o| {
                        let mut pairs: Vec<_> = (0..inputs).map(|i| (at(kernel, o * inputs + i), row[i])).collect();
                        pairs.push((at(bias, o), one));
                        t.dot(&pairs)
                    })
                    .collect();
            }
        }
        for j in 0..config.blocks {
            let (d, taps) = (config.dilation(j), config.kernel_size);
            let mut h = f.clone();
            for sub in 0..2 {
                let place = places.blocks[j][direction][sub];
                let y: Vec<Vec<Vec<usize>>> = h
                    .iter()
                    .map(|h| {
                        (0..frames)
                            .map(|time| {
                                (0..c)
                                    .map(|o| {
                                        let mut pairs = vec![(at(place.bias, o), one)];
                                        for i in 0..c {
                                            for back in (0..taps).filter(|back| time >= back * d) {
                                                let k = (o * c + i) * taps + taps - 1 - back;
                                                pairs.push((at(place.kernel, k), h[time - back * d][i]));
                                            }
                                        }
                                        t.dot(&pairs)
                                    })
                                    .collect()
                            })
                            .collect()
                    })
                    .collect();
                for ch in 0..c {
                    let all: Vec<usize> = y.iter().flatten().map(|row| row[ch]).collect();
                    let (mean, var) = match mode {
                        Mode::Train { .. } => {
                            let mean = t.sum(&all, 1.0 / all.len() as f64);
                            let squares: Vec<usize> = all
                                .iter()
                                .map(|&v| {
                                    let e = t.values[v] - t.values[mean];
                                    t.push(e * e, vec![(v, 2.0 * e), (mean, -2.0 * e)])
                                })
                                .collect();
                            (mean, t.sum(&squares, 1.0 / all.len() as f64))
                        }
                        Mode::Infer { statistics } => (
                            t.leaf(f64::from(statistics[at(place.running_mean, ch)])),
                            t.leaf(f64::from(statistics[at(place.running_var, ch)])),
                        ),
                    };
                    let rstd = t.map(var, |v| {
                        let r = 1.0 / (v + 1e-3).sqrt();
                        (r, -0.5 * r * r * r)
                    });
                    for (s, rows) in y.iter().enumerate() {
                        let mask = match mode {
                            Mode::Train { dropout } if !dropout.is_empty() => {
                                f64::from(dropout[(config.site(j, direction, sub) * batch + s) * c + ch])
                            }
                            _ => 1.0,
                        };
                        for (time, row) in rows.iter().enumerate() {
                            let centred = t.values[row[ch]] - t.values[mean];
                            let centred = t.push(centred, vec![(row[ch], 1.0), (mean, -1.0)]);
                            let normal = t.dot(&[(centred, rstd)]);
                            let z = t.dot(&[(normal, at(place.gamma, ch)), (at(place.beta, ch), one)]);
                            h[s][time][ch] = t.relu(z, mask, &mut kink);
                        }
                    }
                }
            }
            for (s, (f, h)) in f.iter_mut().zip(&h).enumerate() {
                for (f, h) in f.iter_mut().zip(h) {
                    for (f, &h) in f.iter_mut().zip(h) {
                        *f = if config.variant == Variant::Tcn {
                            let sum = t.sum(&[*f, h], 1.0);
                            if t.values[sum] == 0.0 { t.leaf(0.0) } else { t.relu(sum, 1.0, &mut kink) }
                        } else {
                            let gate = t.map(h, |v| {
                                let g = 1.0 / (1.0 + (-v).exp());
                                (g, g * (1.0 - g))
                            });
                            t.dot(&[(*f, gate)])
                        };
                    }
                }
                for ch in 0..c {
                    if config.takes_last() {
                        pooled[j][s * c + ch] = vec![f[frames - 1][ch]];
                    } else {
                        pooled[j][s * c + ch].extend(f.iter().map(|row| row[ch]));
                    }
                }
            }
        }
    }
    let share = if config.takes_last() { 1.0 } else { 1.0 / frames as f64 };
    let mut losses = Vec::new();
    let mut all_logits = Vec::new();
    for s in 0..batch {
        let embedding: Vec<usize> = (0..c)
            .map(|ch| {
                let g: Vec<usize> = (0..config.blocks).map(|j| t.sum(&pooled[j][s * c + ch], share)).collect();
                match (config.variant, places.fusion) {
                    (_, Some(w)) => t.dot(&g.iter().enumerate().map(|(j, &g)| (at(w, j), g)).collect::<Vec<_>>()),
                    (Variant::NoDf, None) => t.sum(&g, 1.0 / config.blocks as f64),
                    (_, None) => g[config.blocks - 1],
                }
            })
            .collect();
        let logits: Vec<usize> = (0..config.classes)
            .map(|k| {
                let mut pairs: Vec<_> = (0..c).map(|ch| (at(places.head, k * c + ch), embedding[ch])).collect();
                pairs.push((at(places.head_bias, k), one));
                t.dot(&pairs)
            })
            .collect();
        let values: Vec<f64> = logits.iter().map(|&l| t.values[l]).collect();
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = max + values.iter().map(|v| (v - max).exp()).sum::<f64>().ln();
        let (smoothing, weight) = (objective.label_smoothing, objective.class_weight(labels[s]));
        let target = |k: usize| smoothing / config.classes as f64 + if labels[s] == k { 1.0 - smoothing } else { 0.0 };
        let loss = values.iter().enumerate().map(|(k, v)| weight * target(k) * (log_sum - v)).sum();
        let slopes =
            logits.iter().enumerate().map(|(k, &l)| (l, weight * ((values[k] - log_sum).exp() - target(k)))).collect();
        losses.push(t.push(loss, slopes));
        all_logits.push(values);
    }
    let loss = t.sum(&losses, 1.0 / batch as f64);
    let mut gradient = t.gradient(loss);
    gradient.truncate(parameters.len());
    Naive { loss: t.values[loss], gradient, logits: all_logits, kink }
}

pub fn fixture() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/timnet/parity.safetensors");
    std::fs::read(path).unwrap()
}

pub fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let data = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}")).data().to_vec();
    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

pub fn integers(file: &SafeTensors, name: &str) -> Vec<usize> {
    let data = file.tensor(name).unwrap().data().to_vec();
    data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as usize).collect()
}

/// The weights stored under `prefix`.
pub fn weights(file: &SafeTensors, prefix: &str, config: &ModelConfig) -> Weights {
    let layout = Arc::new(config.layout().unwrap());
    let all = |tensors: &[Tensor]| tensors.iter().flat_map(|t| floats(file, &format!("{prefix}.{}", t.name))).collect();
    let (parameters, statistics) = (all(layout.tensors()), all(layout.running()));
    Weights { layout, parameters, statistics }
}

pub fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}
