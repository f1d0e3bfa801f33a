//! The findings of fuzzing, replayed without a fuzzer: every file of every corpus.

use std::fs;
use std::path::Path;

use seedis_fuzz::TARGETS;

/// The most that all corpora together may hold, in bytes and in files.
const BYTES_MAX: usize = 200 << 10;
const FILES_MAX: usize = 200;

#[test]
fn every_corpus_is_replayed() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let (mut files, mut bytes) = (0, 0);
    for (name, run) in TARGETS {
        let mut paths: Vec<_> = fs::read_dir(corpora.join(name))
            .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        assert!(paths.len() >= 5, "the corpus of {name} is as good as none");
        for path in paths {
            let data = fs::read(&path).unwrap();
            // Shown only where the test fails: then the last one is the culprit.
            println!("{name}: {}", path.file_name().unwrap().display());
            run(&data);
            files += 1;
            bytes += data.len();
        }
    }
    assert!(files <= FILES_MAX, "{files} files");
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    let folders = fs::read_dir(corpora).unwrap().count();
    assert_eq!(folders, TARGETS.len(), "a corpus without a target");
}

#[test]
fn bytes_drawn_by_lot_break_nothing() {
    for (name, run) in TARGETS {
        for seed in 0..200_u64 {
            let mut state = seed;
            let mut data = vec![0; (seed * 7 % 400) as usize];
            for byte in &mut data {
                // Knuth's generator; only its upper bits are any good.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
            println!("{name}: seed {seed}");
            run(&data);
        }
    }
}
