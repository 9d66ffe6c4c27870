//! From Keras' layers to a network of `timnet-core`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use serengine::{Range, Settings, Weights};
use timnet_core::{ModelConfig, Places, Variant};

use crate::{
    KerasError,
    hdf5::{File, Group, Tensor},
};

pub fn weights(file: &File<'_>) -> Result<Weights, KerasError> {
    let root = file.root()?;
    // `save` puts under `model_weights` what `save_weights` puts at the root.
    let root = if root.has("model_weights") { root.group("model_weights")? } else { root };
    let layers = Layers::read(&root)?;
    let (config, norms) = layers.config()?;
    let layout = config.layout().map_err(|e| KerasError::Misfit(e.to_string()))?;
    let places = Places::of(&config);
    let (inputs, f, directions) = (config.coefficients, config.filters, config.directions());
    let mut out = Weights {
        parameters: vec![0.0; layout.trainable()],
        statistics: vec![0.0; layout.statistics()],
        layout: Arc::new(layout),
    };
    for (&(kernel, bias), layer) in places.stems.iter().zip(&layers.convolutions) {
        put(&mut out.parameters, kernel, layer.get("kernel", &[1, inputs, f])?);
        put(&mut out.parameters, bias, layer.get("bias", &[f])?);
    }
    let subs = places.blocks.iter().flatten().flatten();
    for ((sub, convolution), norm) in subs.zip(&layers.convolutions[directions..]).zip(norms) {
        put(&mut out.parameters, sub.kernel, convolution.get("kernel", &[2, f, f])?);
        put(&mut out.parameters, sub.bias, convolution.get("bias", &[f])?);
        put(&mut out.parameters, sub.gamma, norm.get("gamma", &[f])?);
        put(&mut out.parameters, sub.beta, norm.get("beta", &[f])?);
        put(&mut out.statistics, sub.running_mean, norm.get("moving_mean", &[f])?);
        put(&mut out.statistics, sub.running_var, norm.get("moving_variance", &[f])?);
    }
    if let Some(fusion) = places.fusion {
        put(&mut out.parameters, fusion, layers.fusion.get("kernel", &[config.blocks, 1])?);
    }
    put(&mut out.parameters, places.head, layers.dense.get("kernel", &[f, config.classes])?);
    put(&mut out.parameters, places.head_bias, layers.dense.get("bias", &[config.classes])?);
    out.check()?;
    Ok(out)
}

/// Keras' kernels are ([taps,] in, out), ours [out, in(, taps)].
fn put(vector: &mut [f32], place: Range, tensor: Tensor) {
    let place = &mut vector[place.all()];
    let (taps, inputs, outputs) = match tensor.shape[..] {
        [taps, inputs, outputs] => (taps, inputs, outputs),
        [inputs, outputs] => (1, inputs, outputs),
        _ => return place.copy_from_slice(&tensor.values),
    };
    for (i, value) in tensor.values.into_iter().enumerate() {
        let (tap, input, output) = (i / (inputs * outputs), i / outputs % inputs, i % outputs);
        place[(output * inputs + input) * taps + tap] = value;
    }
}

/// The layers that have weights, of each type in the order of their numbers, which is the order of creation.
struct Layers<'a> {
    convolutions: Vec<Layer<'a>>,
    norms: Vec<Layer<'a>>,
    fusion: Layer<'a>,
    dense: Layer<'a>,
}

impl<'a> Layers<'a> {
    fn read(root: &Group<'a>) -> Result<Self, KerasError> {
        let names = root
            .strings("layer_names")?
            .ok_or_else(|| KerasError::Missing("there is no attribute `layer_names`".to_owned()))?;
        let mut by_kind: BTreeMap<(&str, u64), Layer<'a>> = BTreeMap::new();
        for name in &names {
            let group = root.group(name)?;
            let weights = group
                .strings("weight_names")?
                .ok_or_else(|| KerasError::Missing(format!("layer `{name}` has no attribute `weight_names`")))?;
            if weights.is_empty() {
                continue;
            }
            match by_kind.entry(kind(name)) {
                Entry::Vacant(place) => place.insert(Layer { name: name.clone(), group, weights }),
                Entry::Occupied(_) => return Err(KerasError::Misfit(format!("layer `{name}` is there twice"))),
            };
        }
        let mut take = |wanted: &str| -> Vec<Layer<'a>> {
            let keys: Vec<_> = by_kind.keys().filter(|key| key.0 == wanted).copied().collect();
            keys.iter().filter_map(|key| by_kind.remove(key)).collect()
        };
        let (convolutions, norms) = (take("conv1d"), take("batch_normalization"));
        let (fusion, dense) = (take("weight_layer"), take("dense"));
        if let Some(other) = by_kind.into_values().next() {
            return Err(KerasError::Misfit(format!(
                "layer `{}` has weights; only conv1d, batch_normalization, weight_layer and dense are expected to",
                other.name
            )));
        }
        Ok(Self { convolutions, norms, fusion: only(fusion, "weight_layer")?, dense: only(dense, "dense")? })
    }

    /// The configuration that fits the numbers of layers and the first and last kernels' shapes, and the BatchNorms.
    fn config(&self) -> Result<(ModelConfig, &[Layer<'a>]), KerasError> {
        let (convolutions, norms) = (self.convolutions.len(), self.norms.len());
        // 1x1 convolutions: one a direction. Then two convolutions and two BatchNorms a block and direction.
        let directions = convolutions.saturating_sub(norms);
        let variant = match directions {
            1 => Variant::NoBd,
            2 => Variant::TimNet,
            _ => Variant::Tcn,
        };
        if variant == Variant::Tcn || norms == 0 || norms % (2 * directions) != 0 {
            return Err(KerasError::Misfit(format!(
                "{convolutions} conv1d and {norms} batch_normalization layers; n blocks have 4n + 2 and 4n, or \
                 2n + 1 and 2n in one direction"
            )));
        }
        let first = self.convolutions[0].tensor("kernel")?;
        let head = self.dense.tensor("kernel")?;
        let ([_, coefficients, filters], [_, classes]) = (&first.shape[..], &head.shape[..]) else {
            return Err(KerasError::Misfit(format!(
                "the first convolution's kernel has shape {:?} and the dense layer's {:?}; (taps, in, out) and (in, \
                 classes) are expected",
                first.shape, head.shape
            )));
        };
        let config = ModelConfig {
            coefficients: *coefficients,
            filters: *filters,
            ..ModelConfig::of(variant, norms / (2 * directions), *classes)
        };
        Ok((config, &self.norms))
    }
}

/// The one layer of a type of which a TIM-Net has one.
fn only<'a>(mut layers: Vec<Layer<'a>>, kind: &str) -> Result<Layer<'a>, KerasError> {
    match (layers.pop(), layers.len()) {
        (Some(layer), 0) => Ok(layer),
        (found, others) => Err(KerasError::Misfit(format!(
            "{} layers of type {kind}; one is expected",
            others + usize::from(found.is_some())
        ))),
    }
}

/// A layer's type and number: (`conv1d`, 34) of `conv1d_34`; the first of a process has no number.
fn kind(name: &str) -> (&str, u64) {
    let numbered = name.rsplit_once('_').and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
    numbered.unwrap_or((name, 0))
}

struct Layer<'a> {
    name: String,
    group: Group<'a>,
    weights: Vec<String>,
}

impl Layer<'_> {
    /// The path of the weight whose name ends in `/<name>:0`, below the layer.
    fn path(&self, name: &str) -> Result<&str, KerasError> {
        let last = |weight: &String| weight.rsplit('/').next().and_then(|w| w.split(':').next()) == Some(name);
        let found = self.weights.iter().find(|w| last(w));
        Ok(found.ok_or_else(|| KerasError::Missing(format!("layer `{}` has no weight `{name}`", self.name)))?)
    }

    fn tensor(&self, name: &str) -> Result<Tensor, KerasError> {
        self.group.dataset(self.path(name)?)
    }

    /// A weight of the expected shape.
    fn get(&self, name: &str, expected: &[usize]) -> Result<Tensor, KerasError> {
        let tensor = self.tensor(name)?;
        if tensor.shape == expected {
            return Ok(tensor);
        }
        Err(KerasError::Shape {
            name: format!("{}/{}", self.name, self.path(name)?),
            found: tensor.shape,
            expected: expected.to_vec(),
        })
    }
}
