//! What the files say, what settings say, and what is asked for where neither does.

#![allow(clippy::unwrap_used)]

mod onnx;

use std::path::Path;

use onnx::{Graph, Message, frames, int, ints};
use serencode::{Classifier, EncodeError, Encoder, Layers, Scaling, Settings};

fn raw() -> Settings {
    Settings::default().with(|s| s.input = Some(Scaling::None))
}

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/encoders")
}

/// [1, 3] of samples: their mean times 1, 2 and 3.
fn three() -> Graph {
    let graph = Graph::of_samples().node("ReduceMean", &["x"], &["m"], &[ints("axes", &[1]), int("keepdims", 1)]);
    graph.floats("w", &[1, 3], &[1.0, 2.0, 3.0]).node("Mul", &["m", "w"], &["v"], &[])
}

fn config(folder: &Path, text: &str) {
    std::fs::write(folder.join("config.json"), text).unwrap();
}

const LABELS: &str = r#"{"id2label": {"0": "anger", "1": "joy", "2": "neutral"}}"#;

#[test]
fn scaling_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = frames().output("y").write(folder.path());
    let message = Encoder::open(&path, &Settings::default()).err().unwrap().to_string();
    assert!(message.contains("set input = \"zero-mean-unit-variance\" or \"none\""), "{message}");
    std::fs::write(folder.path().join("preprocessor_config.json"), r#"{"do_normalize": true, "sampling_rate": 8000}"#)
        .unwrap();
    let encoder = Encoder::open(&path, &Settings::default()).unwrap();
    assert_eq!(encoder.sample_rate(), 8000);
    // numpy: x = np.array([.1, .2, .6]); (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    let expected = [-0.925_819_1, -0.462_909_55, 1.388_728_6];
    let found = encoder.frames(&[0.1, 0.2, 0.6]).unwrap();
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6), "{found}");
    let lines: Vec<String> = encoder.describe().iter().map(ToString::to_string).collect();
    assert!(lines.contains(&"input: zero-mean-unit-variance (preprocessor_config.json)".to_owned()), "{lines:?}");
    let set = Encoder::open(&path, &raw()).unwrap();
    assert_eq!(set.frames(&[0.1]).unwrap()[[0, 0]], 0.1);
    assert_ne!(set.identity(), encoder.identity());
    std::fs::write(
        folder.path().join("preprocessor_config.json"),
        r#"{"feature_extractor_type": "SeamlessM4TFeatureExtractor"}"#,
    )
    .unwrap();
    let message = Encoder::open(&path, &raw()).err().unwrap().to_string();
    assert!(message.contains("SeamlessM4TFeatureExtractor, which does not fit"), "{message}");
    std::fs::write(folder.path().join("preprocessor_config.json"), r#"{"do_normalize": "yes"}"#).unwrap();
    assert!(matches!(Encoder::open(&path, &raw()), Err(EncodeError::Json { .. })));
}

#[test]
fn identity_depends_on_what_features_depend_on() {
    let open = |settings: Settings| Encoder::open(&fixtures().join("wavlm-layers.onnx"), &settings).unwrap().identity();
    let settings = raw().with(|s| s.layers = Some(Layers::One(1)));
    let first = open(settings.clone());
    assert_eq!(first.len(), 64);
    assert_eq!(first, open(settings.clone().with(|s| s.threads = 2)));
    assert_eq!(first, open(settings.clone().with(|s| s.layers = Some(Layers::Range(1..=1)))));
    assert_ne!(first, open(settings.clone().with(|s| s.layers = Some(Layers::Mean))));
    assert_ne!(first, open(settings.clone().with(|s| s.input = Some(Scaling::ZeroMeanUnitVariance))));
    assert_ne!(first, open(settings.clone().with(|s| s.window = 20.0)));
    let encoder = Encoder::open(&fixtures().join("wavlm-layers.onnx"), &settings).unwrap();
    // sha256sum fixtures/encoders/wavlm-layers.onnx
    assert_eq!(encoder.file_hash(), "bc502a8bb50e85f4190082dcb8493116dca3e83b737c871bde820e993114feef");
}

#[test]
fn layers_are_asked_for() {
    let open = |settings: &Settings| Encoder::open(&fixtures().join("wavlm-layers.onnx"), settings);
    let message = open(&raw()).err().unwrap().to_string();
    assert!(
        message.contains("`hidden_states` has 4 layers: set layers = 0 to 3") && message.contains("[1, 4, 49, 64]"),
        "{message}"
    );
    let message = open(&raw().with(|s| s.layers = Some(Layers::One(4)))).err().unwrap().to_string();
    assert!(message.contains("layers = 4, and output `hidden_states` has 4"), "{message}");
    for (text, layers) in [("6", Layers::One(6)), ("mean", Layers::Mean), ("3-8", Layers::Range(3..=8))] {
        assert_eq!((text.parse::<Layers>().unwrap(), layers.to_string().as_str()), (layers.clone(), text));
    }
    assert!("8-3".parse::<Layers>().is_err() && "last".parse::<Layers>().is_err());
}

#[test]
fn outputs_of_layers_together() {
    let mut graph = frames().node("Neg", &["y"], &["n"], &[]);
    for (name, from) in [("last_hidden_state", "n"), ("hidden_states.0", "y"), ("hidden_states.1", "n")] {
        graph = graph.node("Identity", &[from], &[name], &[]);
    }
    let graph = graph.output("last_hidden_state").output("hidden_states.0").output("hidden_states.1");
    let folder = tempfile::tempdir().unwrap();
    let path = graph.write(folder.path());
    let open = |output: Option<&str>, layers| {
        Encoder::open(&path, &raw().with(|s| (s.output, s.layers) = (output.map(str::to_owned), layers)))
    };
    let value = |encoder: Encoder| encoder.frames(&[0.5]).unwrap()[[0, 0]];
    assert_eq!(value(open(None, Some(Layers::One(0))).unwrap()), 0.5);
    assert_eq!(value(open(Some("hidden_states"), Some(Layers::One(1))).unwrap()), -0.5);
    assert_eq!(value(open(None, Some(Layers::Mean)).unwrap()), 0.0);
    assert_eq!(value(open(Some("last_hidden_state"), None).unwrap()), -0.5);
    let message = open(None, None).err().unwrap().to_string();
    let offered = "outputs of this file: `last_hidden_state` [1, 16000, 1] (frames); `hidden_states` [1, 2, 16000, 1] (2 layers of frames)";
    assert!(message.contains("set output = \"NAME\"") && message.contains(offered), "{message}");
    assert!(open(Some("pooler"), None).err().unwrap().to_string().contains("there is no output `pooler`"));
}

#[test]
fn logits_and_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), LABELS);
    let logits = three().output("v").write(folder.path());
    let classifier = Classifier::open(&logits, &raw()).unwrap();
    assert_eq!(classifier.labels(), ["anger", "joy", "neutral"]);
    // numpy: e = np.exp([1, 2, 3]); e / e.sum()
    let expected = [0.09003057, 0.24472847, 0.66524096];
    let close = |found: Vec<f32>| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close(classifier.classify(&[1.0; 100]).unwrap()));
    let softmax = three().node("Softmax", &["v"], &["p"], &[int("axis", 1)]).output("p").write(folder.path());
    let classifier = Classifier::open(&softmax, &raw()).unwrap();
    assert!(close(classifier.classify(&[1.0; 100]).unwrap()));
    assert!(classifier.describe().iter().any(|source| source.value == "probabilities"));
}

#[test]
fn labels_from_settings_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = three().output("v").write(folder.path());
    let message = Classifier::open(&path, &raw()).err().unwrap().to_string();
    assert!(message.contains("no labels") && message.contains("`v` [1, 3] (one vector)"), "{message}");
    let set = |labels: &[&str]| raw().with(|s| s.labels = Some(labels.iter().map(|&label| label.to_owned()).collect()));
    assert_eq!(Classifier::open(&path, &set(&["a", "b", "c"])).unwrap().labels(), ["a", "b", "c"]);
    let message = Classifier::open(&path, &set(&["a", "b"])).err().unwrap().to_string();
    assert!(message.contains("there are 2 labels (set), and no output has as many numbers"), "{message}");
    assert!(Classifier::open(&path, &set(&["a", "a", "c"])).err().unwrap().to_string().contains("`a` is there twice"));
    let entry = Message::default().text(1, "labels").text(2, r#"["x", "y", "z"]"#);
    std::fs::write(&path, Message(three().output("v").file()).bytes(14, &entry.0).0).unwrap();
    assert_eq!(Classifier::open(&path, &raw()).unwrap().labels(), ["x", "y", "z"]);
    config(folder.path(), r#"{"id2label": {"0": "a", "2": "b"}}"#);
    assert!(Classifier::open(&path, &raw()).err().unwrap().to_string().contains("keys are not the numbers 0 to 1"));
}

#[test]
fn regressors_are_named_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = three().output("v").write(folder.path());
    for text in
        [r#"{"id2label": {"0": "arousal", "1": "dominance", "2": "valence"}}"#, r#"{"problem_type": "regression"}"#]
    {
        config(folder.path(), text);
        let error = Classifier::open(&path, &raw()).err().unwrap();
        assert!(matches!(error, EncodeError::Regressor { .. }), "{error}");
        assert!(error.to_string().contains("it is a regressor, and cannot be a classifier"), "{error}");
    }
    config(folder.path(), "{}");
    let graph = three().node("Identity", &["m"], &["Arousal"], &[]).output("v").output("Arousal");
    let error = Classifier::open(&graph.write(folder.path()), &raw()).err().unwrap();
    assert!(matches!(error, EncodeError::Regressor { .. }), "{error}");
}

#[test]
fn folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = frames().output("y").write(folder.path());
    std::fs::rename(&path, folder.path().join("a.onnx")).unwrap();
    assert!(Encoder::open(folder.path(), &raw()).is_ok());
    std::fs::copy(folder.path().join("a.onnx"), folder.path().join("b.onnx")).unwrap();
    assert!(matches!(Encoder::open(folder.path(), &raw()), Err(EncodeError::NoModel { found: 2, .. })));
    std::fs::copy(folder.path().join("a.onnx"), folder.path().join("encoder_model.onnx")).unwrap();
    assert!(Encoder::open(folder.path(), &raw()).is_ok());
    let missing = Encoder::open(&folder.path().join("none.onnx"), &raw()).err().unwrap();
    assert!(matches!(missing, EncodeError::Read { .. }), "{missing}");
}

#[test]
fn inputs_that_are_not_samples() {
    let open = |graph: Graph| {
        let folder = tempfile::tempdir().unwrap();
        Encoder::open(&graph.write(folder.path()), &raw())
    };
    let two = frames().input("speed", onnx::FLOAT, &[Some(1)]).output("y");
    assert!(open(two).err().unwrap().to_string().contains("it has [\"x\", \"speed\"]"));
    let mask = frames().input("attention_mask", onnx::INT64, &[Some(1), None]);
    let mask =
        mask.node("Cast", &["attention_mask"], &["m"], &[int("to", 1)]).node("Unsqueeze", &["m", "last"], &["u"], &[]);
    let encoder = open(mask.node("Mul", &["y", "u"], &["z"], &[]).output("z")).unwrap();
    assert_eq!(encoder.frames(&[0.5, 0.25]).unwrap(), ndarray::array![[0.5], [0.25]]);
    let fixed = Graph::default().input("x", onnx::FLOAT, &[Some(1), Some(8)]).ints("last", &[1], &[-1]);
    let encoder = open(fixed.node("Unsqueeze", &["x", "last"], &["y"], &[]).output("y")).unwrap();
    assert_eq!(encoder.frames(&[0.5; 8]).unwrap().dim(), (8, 1));
    assert!(
        encoder.frames(&[0.5; 7]).unwrap_err().to_string().contains("exported for 8 samples exactly and 7 were given")
    );
    let image = Graph::default()
        .input("x", onnx::FLOAT, &[Some(1), Some(3), None, None])
        .node("Identity", &["x"], &["y"], &[])
        .output("y");
    assert!(open(image).err().unwrap().to_string().contains("read are [1, samples], [samples] and Whisper's"));
}

#[test]
fn threads_do_not_change_results() {
    let samples: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.03).sin() * 0.2).collect();
    let open = |threads| {
        Encoder::open(
            &fixtures().join("wavlm-layers.onnx"),
            &raw().with(|s| (s.layers, s.threads) = (Some(Layers::Mean), threads)),
        )
    };
    let one = open(1).unwrap();
    let expected = one.frames(&samples).unwrap();
    assert_eq!(open(2).unwrap().frames(&samples).unwrap(), expected);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| one.frames(&samples).unwrap())).collect();
        runs.into_iter().for_each(|run| assert_eq!(run.join().unwrap(), expected));
    });
}
