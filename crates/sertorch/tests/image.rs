//! A network of another kind than TIM-Net: a two-dimensional convolution over [frames, coefficients] as an image, BatchNorm,
//! element-wise dropout of a two-dimensional shape, dropout of the pooled vector at another rate. What an engine must get right for
//! any network: gradients, running statistics, copies that do not see each other, factors at their places.

#![allow(clippy::unwrap_used)]

use std::{convert::Infallible, sync::Arc};

use serde::{Deserialize, Serialize};
use serengine::{
    Batch, Dataset, Engine, EngineError, Init, Layout, Objective, Range, Settings, TrainState,
    streams::{self, Key},
};
use sertorch::{
    Answer, DeviceWeights, Network, Pass, StackedEngine, TorchEngine,
    tch::{self, Device, Kind, TchError, Tensor},
};

const FRAMES: i64 = 7;
const COEFFICIENTS: i64 = 5;
const CHANNELS: i64 = 4;
const CLASSES: i64 = 3;
const KEEP: f64 = 0.9;

#[derive(Debug, Serialize, Deserialize)]
struct Image {
    frames: usize,
}

/// A 3 x 3 convolution without padding.
const SHAPE: [i64; 2] = [FRAMES - 2, COEFFICIENTS - 2];

impl Settings for Image {
    const FAMILY: &'static str = "image";
    type Error = Infallible;

    fn layout(&self) -> Result<Layout, Infallible> {
        Ok(ImageNet::laid_out().0)
    }
}

#[derive(Debug)]
struct ImageNet {
    layout: Arc<Layout>,
    kernel: Range,
    gamma: Range,
    head: Range,
}

impl ImageNet {
    fn laid_out() -> (Layout, [Range; 3]) {
        let n = |n: i64| n as usize;
        let settings = Image { frames: n(FRAMES) };
        let mut layout = Layout::new(&settings, n(COEFFICIENTS), n(CLASSES)).of_frames(n(FRAMES));
        let kernel = layout.parameter("kernel", &[n(CHANNELS), 1, 3, 3], Init::glorot(9, 9 * n(CHANNELS)));
        let gamma = layout.parameter("gamma", &[n(CHANNELS)], Init::Constant(1.0));
        let head = layout.parameter("head", &[n(CLASSES), n(CHANNELS)], Init::glorot(n(CHANNELS), n(CLASSES)));
        layout.statistic("running_mean", &[n(CHANNELS)], Init::Constant(0.0));
        layout.statistic("running_var", &[n(CHANNELS)], Init::Constant(1.0));
        layout.site(&[n(CHANNELS), n(SHAPE[0]), n(SHAPE[1])], 0.25);
        layout.site(&[n(CHANNELS)], 0.5);
        (layout, [kernel, gamma, head])
    }

    fn of(layout: &Arc<Layout>) -> Self {
        let [kernel, gamma, head] = Self::laid_out().1;
        Self { layout: Arc::clone(layout), kernel, gamma, head }
    }
}

impl Network for ImageNet {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        let [copies, batch] = [pass.features().size()[0], pass.features().size()[1]];
        // Copies are groups of channels: [batch, copies * channels, frames, coefficients].
        let x = pass.features().f_transpose(0, 1)?;
        let kernel = pass.parameter(self.kernel).f_reshape([copies * CHANNELS, 1, 3, 3])?;
        let y = x.f_conv2d::<Tensor>(&kernel, None, 1, 0, 1, copies)?;
        let gamma = pass.parameter(self.gamma).f_reshape([-1])?;
        // [mean and variance, copies * channels]; a copy, which training moves and writes back.
        let running = pass.statistics().f_view([copies, 2, CHANNELS])?.f_permute_copy([1, 0, 2])?.f_view([2, -1])?;
        let (mean, var) = (running.f_select(0, 0)?, running.f_select(0, 1)?);
        let y =
            y.f_batch_norm(Some(&gamma), None, Some(&mean), Some(&var), pass.is_training(), 1.0 - KEEP, 1e-3, false)?;
        if pass.is_training() {
            let moved = running.f_view([2, copies, CHANNELS])?.f_transpose(0, 1)?.f_reshape([copies, -1])?;
            pass.statistics().shallow_clone().f_copy_(&moved)?;
        }
        // [copies, batch, channels, frames, coefficients]
        let y = y.f_tanh()?.f_view([batch, copies, CHANNELS, SHAPE[0], SHAPE[1]])?.f_transpose(0, 1)?;
        let y = if let Some(factors) = pass.factors(0) { y.f_mul(factors)? } else { y };
        let embedding = y.f_mean_dim([3i64, 4].as_slice(), false, None)?;
        let read = if let Some(factors) = pass.factors(1) { embedding.f_mul(factors)? } else { embedding };
        let head = pass.parameter(self.head).f_view([copies, CLASSES, CHANNELS])?;
        Ok(Answer::new(read.f_bmm(&head.f_transpose(1, 2)?)?, read))
    }
}

const UTTERANCES: usize = 12;

fn layout() -> Arc<Layout> {
    let Ok(layout) = Image { frames: FRAMES as usize }.layout();
    Arc::new(layout)
}

fn data(frames: i64) -> Dataset {
    let size = (frames * COEFFICIENTS) as usize;
    let noise = |i: usize| ((i as f32).sin() * 43_758.547).fract();
    let features = (0..UTTERANCES * size).map(|i| noise(i) + noise(i / size % 3)).collect();
    Dataset::new(features, (0..UTTERANCES).map(|i| i % 3).collect(), frames as usize, COEFFICIENTS as usize).unwrap()
}

fn state(layout: &Arc<Layout>, key: Key) -> TrainState {
    TrainState::start(streams::initial(layout, key))
}

fn alone(state: &TrainState, kind: Kind) -> TorchEngine {
    let network = ImageNet::of(&state.weights.layout);
    TorchEngine::with_kind(network, state, &data(FRAMES), Objective::default(), Device::Cpu, kind).unwrap()
}

const KEY: Key = Key { seed: 3, fold: 0 };

/// Each parameter's gradient against the slope of the loss between two nudged networks, with dropout.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    tch::set_num_threads(1);
    let layout = layout();
    let start = state(&layout, KEY);
    let batch = streams::epoch(&layout, KEY, 1, &(0..UTTERANCES).collect::<Vec<_>>(), UTTERANCES).remove(0);
    let at = |parameters: Vec<f32>| {
        let mut moved = start.clone();
        moved.weights.parameters = parameters;
        alone(&moved, Kind::Double).gradient(&batch).unwrap()
    };
    let (_, gradient) = at(start.weights.parameters.clone());
    for i in 0..layout.trainable() {
        let step = 1.0 / 256.0;
        let loss = |sign: f32| {
            let mut parameters = start.weights.parameters.clone();
            parameters[i] += sign * step;
            at(parameters).0
        };
        let slope = (loss(1.0) - loss(-1.0)) / (2.0 * step);
        assert!((slope - gradient[i]).abs() < 1e-3, "{i}: {slope} {}", gradient[i]);
    }
    assert!(gradient.iter().filter(|g| g.abs() > 0.01).count() > 10);
}

/// Losses, answers and states of three folds that compute together are those of each alone.
#[test]
fn copies_do_not_see_each_other() {
    tch::set_num_threads(1);
    let layout = layout();
    let keys = [0, 1, 2].map(|fold| Key { seed: 3, fold });
    let states = keys.map(|key| state(&layout, key));
    let all: Vec<usize> = (0..UTTERANCES).collect();
    let train = |engine: &mut dyn Engine, key: Key| {
        let mut losses = Vec::new();
        for epoch in 1..=4 {
            losses.extend(engine.train(&streams::epoch(&layout, key, epoch, &all, 5)).unwrap().iter().map(|o| o.loss));
        }
        let (state, answers) = (engine.state().unwrap(), engine.predict(&all[..4]).unwrap());
        [losses, state.weights.parameters, state.weights.statistics, answers.logits, answers.embeddings].concat()
    };
    let (network, objective) = (ImageNet::of(&layout), Objective::default());
    let stack = StackedEngine::stack(network, &states, &data(FRAMES), objective, Device::Cpu, Kind::Double).unwrap();
    let together: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let train = &train;
        let folds: Vec<_> =
            stack.into_iter().zip(keys).map(|(mut engine, key)| scope.spawn(move || train(&mut engine, key))).collect();
        folds.into_iter().map(|fold| fold.join().unwrap()).collect()
    });
    assert_ne!(together[0], together[1]);
    for ((state, key), stacked) in states.iter().zip(keys).zip(&together) {
        let single = train(&mut alone(state, Kind::Double), key);
        assert_eq!(single.len(), stacked.len());
        assert!(single.iter().zip(stacked).all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0)), "fold {}", key.fold);
    }
}

/// One running mean after one step is (1 - keep) times the batch's, which is the mean of the convolution's output.
#[test]
fn running_statistics_move_towards_the_batchs() {
    tch::set_num_threads(1);
    let layout = layout();
    let mut start = state(&layout, KEY);
    // A kernel that copies the middle of its window, in every channel.
    start.weights.parameters[..36].fill(0.0);
    (0..4).for_each(|channel| start.weights.parameters[9 * channel + 4] = 1.0);
    let mut engine = alone(&start, Kind::Double);
    engine.train(&[Batch { indices: (0..UTTERANCES as u32).collect(), dropout: Vec::new() }]).unwrap();
    let data = data(FRAMES);
    let inner = |u: usize| (1..6).flat_map(move |t| (1..4).map(move |c| (u, t * 5 + c)));
    let values: Vec<f64> = (0..UTTERANCES).flat_map(inner).map(|(u, i)| f64::from(data.utterance(u)[i])).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let statistics = engine.state().unwrap().weights.statistics;
    for channel in 0..4 {
        assert!((f64::from(statistics[channel]) - 0.1 * mean).abs() < 1e-6);
        assert!((f64::from(statistics[4 + channel]) - (0.9 + 0.1 * variance)).abs() < 1e-6);
    }
}

/// A factor of 0 at every place of a site leaves nothing of its utterance, and nothing else changes.
#[test]
fn factors_meet_their_utterance_and_site() {
    tch::set_num_threads(1);
    let layout = layout();
    let start = state(&layout, KEY);
    let (first, second) = (4 * 5 * 3, 4);
    let loss = |utterance: usize, site: usize| {
        let mut dropout = vec![1.0; 2 * (first + second)];
        match site {
            0 => dropout[utterance * first..][..first].fill(0.0),
            _ => dropout[2 * first + utterance * second..][..second].fill(0.0),
        }
        alone(&start, Kind::Double).gradient(&Batch { indices: vec![0, 1], dropout }).unwrap().0
    };
    let dropped = [0, 1].map(|utterance| [0, 1].map(|site| loss(utterance, site)));
    // Without anything before the head its logits are 0, whichever site dropped it all.
    for [a, b] in dropped {
        assert!((a - b).abs() < 1e-6, "{dropped:?}");
    }
    assert!((dropped[0][0] - dropped[1][0]).abs() > 1e-3, "{dropped:?}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let layout = layout();
    let start = state(&layout, KEY);
    let network = || ImageNet::of(&layout);
    let new = |data: &Dataset| TorchEngine::new(network(), &start, data, Objective::default(), Device::Cpu);
    let text = new(&data(FRAMES + 1)).unwrap_err().to_string();
    assert_eq!(text, "shapes do not fit: features have 8 frames, the network takes 7");
    let weights = DeviceWeights::new(&start.weights, Device::Cpu, Kind::Float).unwrap();
    let infer = |frames: i64| {
        let features = Tensor::zeros([2, frames, COEFFICIENTS], (Kind::Float, Device::Cpu));
        weights.infer(&features, |pass| Ok((network().forward(pass)?, ())))
    };
    assert_eq!(infer(FRAMES).unwrap().0.logits.size(), [2, CLASSES]);
    assert!(matches!(infer(FRAMES + 1), Err(EngineError::Shape(_))));
    let other = Arc::new(Layout::clone(&layout).of_frames(9));
    let error = alone(&start, Kind::Float).restore(&state(&other, KEY)).unwrap_err();
    assert!(error.to_string().contains("another network configuration"), "{error}");
}
