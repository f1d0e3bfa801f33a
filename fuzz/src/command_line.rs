//! Arguments and variables are taken or refused, and mean what a line of a file would.

use seedis::node::options::settings::{NoFiles, Settings, Source};
use seedis::node::options::words::quoted;
use seedis::node::options::{self};

/// Takes the words between NUL bytes as arguments, and each as a value.
pub fn run(data: &[u8]) {
    let words: Vec<Vec<u8>> = data.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let mut settings = Settings::default();
    settings.arguments(&words, &mut NoFiles);
    settings.finish();
    let _ = (settings.warnings(), settings.errors());
    for pair in words.windows(2) {
        let mut settings = Settings::default();
        let name = [b"SEEDIS_".as_slice(), &pair[0].to_ascii_uppercase()].concat();
        settings.variable(&name, &pair[1]);
        // An error names the variable, or whoever is to mend it does not know where to look.
        let all = settings.errors();
        assert!(
            all.iter()
                .all(|error| error.starts_with("variable SEEDIS_"))
        );
    }
    for (place, word) in words.iter().take(20).enumerate() {
        let names = [
            "requirepass",
            "maxmemory",
            "appendonly",
            "bind",
            "save",
            "loglevel",
            "dir",
        ];
        for name in [names[place % names.len()], "cluster-secret"] {
            the_three_agree(name, word);
        }
    }
}

/// A value is the same from a file, from the environment and from the arguments, or wrong in all.
fn the_three_agree(name: &str, value: &[u8]) {
    let [mut file, mut variable, mut argument] = [(); 3].map(|()| Settings::default());
    let line = [name.as_bytes(), b" ", &quoted(value)].concat();
    let source = Source {
        name: "a file".into(),
        text: line,
    };
    file.file(&source, &mut NoFiles);
    let words = [format!("--{name}").into_bytes(), value.to_vec()];
    let is_bare_save = name == "save" && value.starts_with(b"--");
    if !is_bare_save {
        argument.arguments(&words, &mut NoFiles);
        same(name, &file, &argument);
    }
    let own = name.replace('-', "_").to_ascii_uppercase();
    let is_link = value.windows(3).any(|part| part == b"://");
    if !value.is_empty() && !is_link {
        variable.variable(format!("SEEDIS_{own}").as_bytes(), value);
        same(name, &file, &variable);
    }
}

fn same(name: &str, one: &Settings, other: &Settings) {
    let directive = options::find(name.as_bytes()).expect("a name of the table");
    assert_eq!(one.value(directive), other.value(directive), "{name}");
    assert_eq!(one.errors().len(), other.errors().len(), "{name}");
}
