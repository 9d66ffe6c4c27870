//! The chain: names, ranges, and draws that depend on seed, epoch and utterance alone.

use std::collections::HashSet;

use seraugment::{Augment, Augmenter, Draw, Step};

const ALL: &str = "speed,truncate,room,noise,gain,codec,specaugment";

fn voice() -> Vec<f32> {
    (0..8000).map(|i| 0.3 * (i as f32 * 0.07).sin() * (i as f32 * 0.0009).cos()).collect()
}

fn draw(utterance: u32) -> Draw {
    Draw { seed: 1, epoch: 5, utterance }
}

#[test]
fn a_draw_depends_on_its_key_alone() {
    let augmenter = Augmenter::new(ALL.parse().unwrap(), 16_000, None).unwrap();
    let forwards: Vec<_> = (0..24).map(|u| augmenter.samples(&voice(), draw(u)).unwrap()).collect();
    let backwards: Vec<_> = (0..24).rev().map(|u| augmenter.samples(&voice(), draw(u)).unwrap()).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    let distinct: HashSet<Vec<u32>> = forwards.iter().map(|v| v.iter().map(|x| x.to_bits()).collect()).collect();
    // Six steps at even odds leave one recording in 64 as it is.
    assert!(distinct.len() >= 22, "{}", distinct.len());
    let other = |d| augmenter.samples(&voice(), d).unwrap();
    assert_ne!(forwards[3], other(Draw { seed: 2, ..draw(3) }));
    assert_ne!(forwards[3], other(Draw { epoch: 6, ..draw(3) }));
    assert!(forwards.iter().flatten().all(|x| x.is_finite()));
}

#[test]
fn a_step_more_changes_no_other() {
    let gain = Augmenter::new("gain=-6".parse().unwrap(), 16_000, None).unwrap();
    let more = Augmenter::new("gain=-6,codec".parse().unwrap(), 16_000, None).unwrap();
    let kept =
        (0..64).filter(|&u| gain.samples(&voice(), draw(u)).unwrap() == more.samples(&voice(), draw(u)).unwrap());
    // Where no codec was drawn, the gain is the same.
    assert!((20..44).contains(&kept.count()));
    let taken = (0..400).filter(|&u| gain.samples(&voice(), draw(u)).unwrap() != voice()).count();
    assert!((160..240).contains(&taken), "half of the recordings, not {taken} of 400");
}

#[test]
fn copies_are_drawn_evenly() {
    let mut counts = [0; 8];
    (0..8000).for_each(|u| counts[draw(u).copy(8) as usize] += 1);
    assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
}

#[test]
fn names_and_ranges() {
    let augment: Augment = " noise=5..30, gain ".parse().unwrap();
    assert_eq!(augment.to_string(), "noise=5..30,gain=-20..6");
    assert_eq!(augment.to_string().parse::<Augment>().unwrap(), augment);
    assert_eq!(augment.range(Step::Noise).unwrap().high, 30.0);
    assert!("".parse::<Augment>().unwrap().is_empty() && augment.needs_samples());
    assert!(!"specaugment".parse::<Augment>().unwrap().needs_samples());
    for (text, parts) in [
        ("echo", &["echo", "room", "specaugment"][..]),
        ("noise=loud", &["noise=loud", "-20..80 dB"]),
        ("noise=30..5", &["30..5"]),
        ("speed=10", &["50..200 percent"]),
        ("gain=nan..1", &["gain"]),
        ("gain,gain=1", &["twice"]),
    ] {
        let refused = text.parse::<Augment>().unwrap_err().to_string();
        assert!(parts.iter().all(|p| refused.contains(p)), "{text}: {refused}");
    }
}

#[test]
fn short_and_silent_recordings_pass() {
    let augmenter = Augmenter::new(ALL.parse().unwrap(), 16_000, None).unwrap();
    for samples in [vec![], vec![0.0; 3], vec![0.5], vec![0.0; 4000]] {
        for u in 0..32 {
            let out = augmenter.samples(&samples, draw(u)).unwrap();
            assert!(out.iter().all(|x| x.is_finite()) && out.is_empty() == samples.is_empty());
        }
    }
    let mut features = vec![];
    augmenter.features(&mut features, 39, draw(0));
}
