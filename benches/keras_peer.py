#!/usr/bin/env python3
"""TIM-Net in Keras: the peer that `cargo xtask bench` times, and the source of fixtures/timnet.

Written from the paper (arXiv 2211.08233, section 2) and this project's own description of the network. Needs
`pip install tensorflow-cpu tf_keras h5py safetensors`; legacy Keras is what the official code runs on.

    keras_peer.py train --blocks 8 --frames 188 --utterances 482 [--epochs 5]
    keras_peer.py infer --blocks 8 --frames 188 [--repeat 50]
    keras_peer.py check --weights INIT.hdf5 --data RECORDED.npz
    keras_peer.py fixture -o fixtures/timnet/parity.safetensors

`train` and `infer` print one JSON line a measurement on stdout; where stdin holds lines, `train` runs one epoch for each
line, so that a benchmark can alternate it with its own.
"""

import argparse
import json
import os
import resource
import sys
import time

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

layers, models = tf.keras.layers, tf.keras.models


class Fusion(layers.Layer):
    """g_drf = sum_j w_j g_j of stacked g, [batch, blocks, channels]."""

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[1], 1), initializer="uniform")

    def call(self, stacked):
        return tf.squeeze(tf.matmul(stacked, self.kernel, transpose_a=True), -1)


def sub_block(x, channels, dilation, dropout):
    x = layers.Conv1D(channels, 2, dilation_rate=dilation, padding="causal")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    return layers.SpatialDropout1D(dropout)(x)


def tab(x, channels, dilation, dropout):
    gate = sub_block(sub_block(x, channels, dilation, dropout), channels, dilation, dropout)
    return layers.Multiply()([x, layers.Activation("sigmoid")(gate)])


def timnet(blocks, classes, frames, channels=39, dropout=0.1):
    """The network; a second output model gives (g_drf, logits)."""
    inputs = layers.Input((frames, channels))
    forward = layers.Conv1D(channels, 1)(inputs)
    backward = layers.Conv1D(channels, 1)(layers.Lambda(lambda x: x[:, ::-1])(inputs))
    scales = []
    for j in range(blocks):
        forward = tab(forward, channels, 2**j, dropout)
        backward = tab(backward, channels, 2**j, dropout)
        scales.append(layers.GlobalAveragePooling1D()(layers.Add()([forward, backward])))
    stacked = layers.Lambda(lambda x: tf.stack(x, 1))(scales)
    embedding = Fusion()(stacked)
    head = layers.Dense(classes, activation="softmax")
    probabilities = head(embedding)
    model = models.Model(inputs, probabilities)
    model.compile(
        loss="categorical_crossentropy",
        optimizer=tf.keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.93, beta_2=0.98, epsilon=1e-8),
        metrics=["accuracy"],
    )
    return model, models.Model(inputs, [embedding, probabilities]), head


def smoothed(labels, classes):
    return (0.9 * np.eye(classes)[labels] + 0.1 / classes).astype(tf.keras.backend.floatx())


def of_type(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def in_creation_order(own):
    """Layers of one type by the number Keras put behind their name."""
    number = lambda name: int(name.rsplit("_", 1)[1]) if name.rsplit("_", 1)[-1].isdigit() else 0
    return sorted(own, key=lambda layer: number(layer.name))


def named_weights(model):
    """Name -> array, with libtorch's shapes and this project's names."""
    convolutions = in_creation_order(of_type(model, layers.Conv1D))
    norms = in_creation_order(of_type(model, layers.BatchNormalization))
    out = {}
    for direction, layer in zip(("forward", "backward"), convolutions):
        out[f"{direction}.stem.weight"] = layer.kernel.numpy().transpose(2, 1, 0)
        out[f"{direction}.stem.bias"] = layer.bias.numpy()
    sites = [
        f"{direction}.{j + 1}.{sub}"
        for j in range(len(norms) // 4)
        for direction in ("forward", "backward")
        for sub in "ab"
    ]
    for site, layer, norm in zip(sites, convolutions[2:], norms):
        out[f"{site}.conv.weight"] = layer.kernel.numpy().transpose(2, 1, 0)
        out[f"{site}.conv.bias"] = layer.bias.numpy()
        for name, value in zip(("weight", "bias", "running_mean", "running_var"), norm.get_weights()):
            out[f"{site}.norm.{name}"] = value
    out["fusion.weight"] = of_type(model, Fusion)[0].kernel.numpy()[:, 0]
    dense = of_type(model, layers.Dense)[0]
    out["head.weight"] = dense.kernel.numpy().T
    out["head.bias"] = dense.bias.numpy()
    return {name: np.ascontiguousarray(value) for name, value in out.items()}


def data(args):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((args.utterances, args.frames, 39), dtype=np.float32)
    return x, smoothed(rng.integers(args.classes, size=args.utterances), args.classes)


def report(args, **what):
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peer": "keras", "blocks": args.blocks, "frames": args.frames, **what, "peak_rss": rss}), flush=True)


def train(args):
    x, y = data(args)
    model, _, _ = timnet(args.blocks, args.classes, args.frames)
    epoch = lambda: model.fit(x, y, batch_size=args.batch, epochs=1, shuffle=True, verbose=0)
    epoch()
    for _ in sys.stdin if args.epochs == 0 else range(args.epochs):
        wall, cpu = time.perf_counter(), time.process_time()
        epoch()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        report(args, utterances=args.utterances, batch=args.batch, seconds_per_epoch=wall, cpu_seconds_per_epoch=cpu)


def infer(args):
    model, _, _ = timnet(args.blocks, args.classes, args.frames)
    step = tf.function(lambda x: model(x, training=False))
    for batch in (1, 64):
        x = tf.constant(np.random.default_rng(1).standard_normal((batch, args.frames, 39), dtype=np.float32))
        step(x), step(x)
        times = []
        for _ in range(args.repeat):
            start = time.perf_counter()
            step(x).numpy()
            times.append(time.perf_counter() - start)
        report(args, batch=batch, seconds=float(np.median(times)))


def load(model, path):
    """Weights from a Keras file, matched by the order of the numbers in the layers' names."""
    import h5py

    number = lambda name, kind: 0 if name == kind else int(name[len(kind) + 1 :])
    with h5py.File(path) as file:
        for kind, own in (
            ("conv1d", of_type(model, layers.Conv1D)),
            ("batch_normalization", of_type(model, layers.BatchNormalization)),
            ("weight_layer", of_type(model, Fusion)),
            ("dense", of_type(model, layers.Dense)),
        ):
            names = [n for n in file if n == kind or (n.startswith(kind + "_") and n[len(kind) + 1 :].isdigit())]
            names.sort(key=lambda n: number(n, kind))
            assert len(names) == len(own), (kind, names)
            for name, layer in zip(names, in_creation_order(own)):
                group = file[name]
                layer.set_weights([group[w][()] for w in group.attrs["weight_names"]])


def replay(args, recorded):
    """The losses of the recorded run, trained again from its initial weights."""
    model, _, _ = timnet(8, 7, 188, dropout=0.0)
    load(model, args.weights)
    x, y = recorded["features"].astype(tf.keras.backend.floatx()), smoothed(recorded["labels"], 7)
    return np.array([model.train_on_batch(x[i], y[i])[0] for i in recorded["batch_indices"]])


def check(args):
    """Replays the recorded run. Losses drift apart as rounding does in any two runs."""
    recorded = np.load(args.data)
    print(json.dumps({"loss_differences": np.abs(replay(args, recorded) - recorded["losses"]).tolist()}))


def fixture(args):
    """A small recorded training run: initial weights, data, losses, and what the trained network answers."""
    from safetensors.numpy import save_file

    blocks, classes, frames, utterances, steps, batch = 2, 3, 16, 12, 20, 8
    tf.keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    labels = rng.integers(classes, size=utterances)
    features = rng.standard_normal((utterances, frames, 39)).astype(np.float32)
    features[np.arange(utterances), :, labels] += 1.0
    batch_indices = np.stack([rng.permutation(utterances)[:batch] for _ in range(steps)])
    model, inspect, head = timnet(blocks, classes, frames, dropout=0.0)
    tensors = {f"init.{name}": value for name, value in named_weights(model).items()}
    y = smoothed(labels, classes)
    losses = [model.train_on_batch(features[i], y[i])[0] for i in batch_indices]
    # Keras averages the biased variance, libtorch (whose convention the engines share) the unbiased one. All batches
    # are of one size, so the difference is one factor on what the batches contributed.
    values, kept = batch * frames, 0.99**steps
    for norm in of_type(model, layers.BatchNormalization):
        gamma, beta, mean, var = norm.get_weights()
        norm.set_weights([gamma, beta, mean, kept + (var - kept) * values / (values - 1)])
    embedding, probabilities = inspect.predict(features, verbose=0)
    kernel, bias = head.get_weights()
    statistics = {f"final.{n}": v for n, v in named_weights(model).items() if "running" in n}
    tensors |= statistics | {
        "features": features,
        "labels": labels.astype(np.int64),
        "batch_indices": batch_indices.astype(np.int64),
        "losses": np.array(losses, np.float32),
        "final.g_drf": embedding,
        "final.logits": embedding @ kernel + bias,
        "final.probabilities": probabilities,
    }
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, args.output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "infer", "check", "fixture"))
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--classes", type=int, default=7)
    parser.add_argument("--frames", type=int, default=188)
    parser.add_argument("--utterances", type=int, default=482)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5, help="0: one for each line on stdin")
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0, help="0: TensorFlow's own choice")
    parser.add_argument("--weights")
    parser.add_argument("--data")
    parser.add_argument("-o", "--output", default="parity.safetensors")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    {"train": train, "infer": infer, "check": check, "fixture": fixture}[args.what](args)


if __name__ == "__main__":
    main()
